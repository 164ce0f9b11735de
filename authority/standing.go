package authority

import (
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// defect is one reason why an authorization is not in force for a call.
type defect struct {
	standing rationale.Standing
	message  string
}

// defects returns why a version is not in force at a time, in the order of the
// standings: the first is the standing. None: it is active.
func (s *Set) defects(g *grantDoc, at time.Time) []defect {
	var found []defect
	add := func(standing rationale.Standing, format string, args ...any) {
		found = append(found, defect{standing, fmt.Sprintf(format, args...)})
	}
	for _, h := range s.policy.Halts {
		if h.binds(g, at) {
			add(h.standing(), "%s by %s on %s: %s", h.standing(), names(h.By), stamp(h.At), h.Reason)
		}
	}
	if !g.Signed && !s.options.trust.allowUnsigned {
		add(rationale.StandingUnsigned, "the document has no valid signature of the keys that may grant it")
	}
	if newest := s.seen[g.ID.Value]; newest.version > g.Version && !at.Before(newest.at) {
		add(rationale.StandingSuperseded, "version %d was in force since %s", newest.version, stamp(newest.at))
	}
	if at.Before(g.Grant.At) {
		add(rationale.StandingNotYetEffective, "the grant takes effect at %s", stamp(g.Grant.At))
	}
	if !at.Before(g.Grant.Expires) {
		add(rationale.StandingExpired, "the grant expired at %s", stamp(g.Grant.Expires))
	}
	if next := s.nextReview(g, at); !at.Before(next) {
		add(rationale.StandingReviewLapsed, "reauthorization was due at %s", stamp(next))
	}
	slices.SortStableFunc(found, func(a, b defect) int { return int(a.standing) - int(b.standing) })
	return found
}

// nextReview is when the grant must be reauthorized: its cycle after the grant,
// or after the last reaffirmation that has come.
func (s *Set) nextReview(g *grantDoc, at time.Time) time.Time {
	last := g.Grant.At
	for _, r := range s.policy.Reaffirmations {
		if s.reaffirms(r, g) && r.At.After(last) && !at.Before(r.At) {
			last = r.At
		}
	}
	return last.Add(g.Every)
}

// reaffirms reports whether r is about that version, and by those who may grant
// it: where the matrix lists keys of its body, by their quorum, unless the host
// allows unsigned documents.
func (s *Set) reaffirms(r *reaffirmationDoc, g *grantDoc) bool {
	if r.Authorization.Value != g.ID.Value || (r.Version != 0 && r.Version != g.Version) {
		return false
	}
	if s.options.trust.allowUnsigned || s.policy.Matrix == nil {
		return true
	}
	body := s.policy.Matrix.body(g.Grant.Body.Value)
	if body == nil {
		return true
	}
	_, signed := body.quorum(r.signers, r.At)
	return signed
}

func (h *haltDoc) binds(g *grantDoc, at time.Time) bool {
	if at.Before(h.At) || (!h.Revocation && !h.Until.IsZero() && !at.Before(h.Until)) {
		return false
	}
	if h.Authorization == "" {
		return h.Agent == "*" || h.Agent == g.Agent.Value
	}
	return h.Authorization == "*" || h.Authorization == g.ID.Value
}

func (h *haltDoc) standing() rationale.Standing {
	if h.Revocation {
		return rationale.StandingRevoked
	}
	return rationale.StandingSuspended
}

// pinDefects compares what runs with what the grant pins, and returns the
// pin results beside what does not match.
func (g *grantDoc) pinDefects(c *Classified) (found []defect, model, prompt, tool rationale.Pin) {
	add := func(format string, args ...any) rationale.Pin {
		found = append(found, defect{rationale.StandingPinMismatch, fmt.Sprintf(format, args...)})
		return rationale.Mismatch
	}
	if len(g.Pins.Models) > 0 {
		model = rationale.Match
		m := c.call.Model
		if !slices.Contains(g.Pins.Models, modelPin{m.Provider, m.Name, m.Version}) {
			model = add("the model is %s, which the authorization does not pin", modelName(m))
		}
	}
	if g.Pins.Prompt != "" {
		prompt = rationale.Match
		if c.call.Prompt != g.Pins.Prompt {
			prompt = add("the prompt template is not the one that the authorization pins")
		}
	}
	for _, p := range g.Pins.Tools {
		if p.Tool != c.plan.tool.id {
			continue
		}
		tool = rationale.Match
		if p.Digest != c.plan.tool.digest {
			tool = add("the tool's name, description, schema or annotations changed since the grant")
		}
	}
	return found, model, prompt, tool
}

func modelName(m rationale.Model) string {
	if m.Name == "" {
		return "not known"
	}
	return fmt.Sprintf("%s %s %s", m.Provider, m.Name, m.Version)
}

// ref is what a record says of the version at a time.
func (s *Set) ref(g *grantDoc, at time.Time) *rationale.AuthorizationRef {
	r := &rationale.AuthorizationRef{
		ID: g.ID.Value, Version: g.Version, Digest: g.Digest, Owner: g.Owner.ID, Body: g.Grant.Body.Value,
		GrantedAt: g.Grant.At, Expires: g.Grant.Expires, NextReview: s.nextReview(g, at),
		Record: g.Grant.Record, Unsigned: !g.Signed,
	}
	for _, p := range g.Grant.By {
		r.GrantedBy = append(r.GrantedBy, p.ID)
	}
	if s.policy.Matrix != nil {
		r.Matrix = s.policy.Matrix.Digest
	}
	return r
}

func names(people []person) string {
	if len(people) == 0 {
		return "unnamed"
	}
	text := people[0].ID
	for _, p := range people[1:] {
		text += ", " + p.ID
	}
	return text
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
