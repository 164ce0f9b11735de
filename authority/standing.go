package authority

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/versions"
	"github.com/ambit-go/ambit/rationale"
)

// defect is one reason why an authorization is not in force for a call.
type defect struct {
	standing rationale.Standing
	message  string
}

// history is everything that decides when one version of an authorization is
// in force, and when it is not.
type history struct {
	grant     *grantDoc
	unsigned  bool
	seen      versions.Seen // of the authorization
	halts     []*haltDoc    // that bind it at some time, in the order of the documents
	reaffirms []time.Time   // by those who may
}

// defects returns why the version is not in force at a time, in the order of
// the standings: the first is the standing. None: it is active.
func (h *history) defects(at time.Time) []defect {
	var found []defect
	add := func(standing rationale.Standing, format string, args ...any) {
		found = append(found, defect{standing, fmt.Sprintf(format, args...)})
	}
	g := h.grant
	for _, halt := range h.halts {
		if halt.binds(at) {
			add(halt.standing(), "%s by %s on %s: %s", halt.standing(), names(halt.By), stamp(halt.At), halt.Reason)
		}
	}
	if h.unsigned {
		add(rationale.StandingUnsigned, "the document has no valid signature of the keys that may grant it")
	}
	if newer, ok := h.seen.Above(g.Version, at); ok {
		add(rationale.StandingSuperseded, "version %d was in force since %s", newer.Number, stamp(newer.Granted))
	}
	if at.Before(g.Grant.At) {
		add(rationale.StandingNotYetEffective, "the grant takes effect at %s", stamp(g.Grant.At))
	}
	if !at.Before(g.Grant.Expires) {
		add(rationale.StandingExpired, "the grant expired at %s", stamp(g.Grant.Expires))
	}
	if next := h.nextReview(at); !at.Before(next) {
		add(rationale.StandingReviewLapsed, "reauthorization was due at %s", stamp(next))
	}
	slices.SortStableFunc(found, func(a, b defect) int { return int(a.standing) - int(b.standing) })
	return found
}

// nextReview is when the grant must be reauthorized: its cycle after the grant,
// or after the last reaffirmation that has come.
func (h *history) nextReview(at time.Time) time.Time {
	last := h.grant.Grant.At
	for _, given := range h.reaffirms {
		if given.After(last) && !at.Before(given) {
			last = given
		}
	}
	return last.Add(h.grant.Every)
}

// instants returns, sorted, every time at which an answer of h may change.
func (h *history) instants() []time.Time {
	g := h.grant
	all := []time.Time{g.Grant.At, g.Grant.Expires, g.Grant.At.Add(g.Every)}
	for _, v := range h.seen {
		all = append(all, v.Granted)
	}
	for _, halt := range h.halts {
		all = append(all, halt.At)
		if !halt.Until.IsZero() {
			all = append(all, halt.Until)
		}
	}
	for _, given := range h.reaffirms {
		all = append(all, given, given.Add(g.Every))
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// stretch is a time in which the standing of a version does not change, but
// for what runs.
type stretch struct {
	from       time.Time // of the first: since ever
	defects    []defect
	nextReview time.Time
}

// stretches returns what h answers at any time, in order.
func (h *history) stretches() []stretch {
	instants := h.instants()
	all := make([]stretch, 0, len(instants)+1)
	before := instants[0].Add(-1)
	all = append(all, stretch{defects: h.defects(before), nextReview: h.nextReview(before)})
	for _, from := range instants {
		next := stretch{from: from, defects: h.defects(from), nextReview: h.nextReview(from)}
		if last := all[len(all)-1]; slices.Equal(last.defects, next.defects) && last.nextReview.Equal(next.nextReview) {
			continue
		}
		all = append(all, next)
	}
	return slices.Clip(all)
}

// standingAt returns the stretch that a time is in.
func (g *grantDoc) standingAt(at time.Time) *stretch {
	low, high := 0, len(g.stretches)-1
	for low < high { // the last that has begun
		mid := int(uint(low+high+1) >> 1)
		if at.Before(g.stretches[mid].from) {
			high = mid - 1
		} else {
			low = mid
		}
	}
	return &g.stretches[low]
}

// standing is the standing of the version at a time, and why it is not active.
// Pins are not part of it: they depend on what runs.
func (g *grantDoc) standing(at time.Time) (rationale.Standing, string) {
	found := g.standingAt(at).defects
	if len(found) == 0 {
		return rationale.StandingActive, ""
	}
	return found[0].standing, found[0].message
}

// settle computes the standing of every version, once all that bears on it is
// known.
func (s *Set) settle() {
	var (
		everywhere []int // indexes of halts that name all; of the others by what they name
		byID       = make(map[string][]int)
		byAgent    = make(map[string][]int)
		reaffirmed = make(map[string][]*reaffirmationDoc)
	)
	for i, h := range s.policy.Halts {
		switch {
		case h.Authorization == "*" || h.Authorization == "" && h.Agent == "*":
			everywhere = append(everywhere, i)
		case h.Authorization != "":
			byID[h.Authorization] = append(byID[h.Authorization], i)
		default:
			byAgent[h.Agent] = append(byAgent[h.Agent], i)
		}
	}
	for _, r := range s.policy.Reaffirmations {
		reaffirmed[r.Authorization.Value] = append(reaffirmed[r.Authorization.Value], r)
	}
	parallel(len(s.policy.Grants), func(i int) {
		g := s.policy.Grants[i]
		h := &history{
			grant: g, unsigned: !g.Signed && !s.options.trust.allowUnsigned, seen: s.seen[g.ID.Value],
		}
		bind := slices.Concat(everywhere, byID[g.ID.Value], byAgent[g.Agent.Value])
		slices.Sort(bind)
		for _, i := range bind {
			if halt := s.policy.Halts[i]; halt.concerns(g) {
				h.halts = append(h.halts, halt)
			}
		}
		for _, r := range reaffirmed[g.ID.Value] {
			if s.reaffirms(r, g) {
				h.reaffirms = append(h.reaffirms, r.At)
			}
		}
		g.stretches = h.stretches()
		g.ref, g.terms = s.ref(g), s.terms(g)
	})
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

// concerns reports whether the halt names the version.
func (h *haltDoc) concerns(g *grantDoc) bool {
	if h.Authorization == "" {
		return h.Agent == "*" || h.Agent == g.Agent.Value
	}
	return h.Authorization == "*" || h.Authorization == g.ID.Value
}

// binds reports whether the halt is in force at a time.
func (h *haltDoc) binds(at time.Time) bool {
	if at.Before(h.At) {
		return false
	}
	return h.Revocation || h.Until.IsZero() || at.Before(h.Until)
}

func (h *haltDoc) standing() rationale.Standing {
	if h.Revocation {
		return rationale.StandingRevoked
	}
	return rationale.StandingSuspended
}

// pin says how a pinned thing compares with what runs.
type pin uint8

const (
	unpinned pin = iota
	matches
	mismatches
)

func (p pin) recorded() rationale.Pin {
	switch p {
	case matches:
		return rationale.Match
	case mismatches:
		return rationale.Mismatch
	}
	return rationale.Unpinned
}

// pinned is how what runs compares with what a grant pins.
type pinned struct{ model, prompt, tool pin }

func (p pinned) mismatch() bool {
	return p.model == mismatches || p.prompt == mismatches || p.tool == mismatches
}

// comparePins compares what runs with what the grant pins. tool is what
// [grantDoc.toolPin] says of the tool.
func (g *grantDoc) comparePins(model *rationale.Model, prompt string, tool pin) pinned {
	p := pinned{tool: tool}
	if len(g.Pins.Models) > 0 {
		p.model = mismatches
		for i := range g.Pins.Models {
			if m := &g.Pins.Models[i]; m.Version == model.Version && m.Name == model.Name && m.Provider == model.Provider {
				p.model = matches
				break
			}
		}
	}
	if g.Pins.Prompt != "" {
		p.prompt = matches
		if prompt != g.Pins.Prompt {
			p.prompt = mismatches
		}
	}
	return p
}

// toolPin compares a tool with what the grant pins of it.
func (g *grantDoc) toolPin(id classify.ToolID, digest string) pin {
	is := unpinned
	for _, p := range g.Pins.Tools {
		if p.Tool != id || is == mismatches {
			continue
		}
		is = matches
		if p.Digest != digest {
			is = mismatches
		}
	}
	return is
}

// Why a pin does not match.
const (
	promptMismatch = "the prompt template is not the one that the authorization pins"
	toolMismatch   = "the tool's name, description, schema or annotations changed since the grant"
)

func modelMismatch(m *rationale.Model) string {
	name := "not known"
	if m.Name != "" {
		name = fmt.Sprintf("%s %s %s", m.Provider, m.Name, m.Version)
	}
	return fmt.Sprintf("the model is %s, which the authorization does not pin", name)
}

// ref is what a record says of the version, but for the next review and the
// class's controls.
func (s *Set) ref(g *grantDoc) rationale.AuthorizationRef {
	r := rationale.AuthorizationRef{
		ID: g.ID.Value, Version: g.Version, Digest: g.Digest, Owner: g.Owner.ID, Body: g.Grant.Body.Value,
		GrantedAt: g.Grant.At, Expires: g.Grant.Expires, Record: g.Grant.Record, Unsigned: !g.Signed,
		GrantedBy: make([]string, len(g.Grant.By)),
	}
	for i, p := range g.Grant.By {
		r.GrantedBy[i] = p.ID
	}
	if s.policy.Matrix != nil {
		r.Matrix = s.policy.Matrix.Digest
	}
	return r
}

func (s *Set) terms(g *grantDoc) rationale.Terms {
	t := rationale.Terms{
		ApproveBy: values(g.Approval.By), ApproveQuorum: g.Approval.Quorum, ApproveWithin: g.Approval.TTL,
		ReviewBy: values(g.Review.By), ReviewWithin: g.Review.Within,
		ReviewSample: parts(g.Review.Sample), MaxOverdue: g.Review.MaxOverdue,
		AuditEvery: g.Audit.Every, MaxUnexplained: g.Audit.MaxUnexplained,
	}
	if s.policy.Matrix == nil {
		return t
	}
	for _, a := range s.policy.Matrix.Approvers {
		t.ApproveCapped = true
		t.Ceilings = append(t.Ceilings, rationale.Ceiling{Group: a.Group, Person: a.Person, Currency: a.Currency, UpTo: a.UpTo.String()})
	}
	return t
}

// parts returns a share of one in parts of 2^63, rounded down.
func parts(share decimal.Decimal) uint64 {
	n := new(big.Int).SetUint64(share.Coef())
	n.Lsh(n, 63)
	return n.Div(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(share.Scale())), nil)).Uint64()
}

// refAt is the ref of the version at a time.
func (g *grantDoc) refAt(at time.Time) *rationale.AuthorizationRef {
	r := g.ref
	r.NextReview = g.standingAt(at).nextReview
	return &r
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
