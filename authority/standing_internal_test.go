package authority

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/internal/versions"
	"github.com/ambit-go/ambit/rationale"
)

// What follows computes the standing of a version from the documents themselves,
// without periods and stretches: it is what they must come to.

func referenceCompeting(l *line, at time.Time) *grantDoc {
	for _, g := range slices.Backward(l.versions) {
		if !at.Before(g.Grant.At) {
			return g
		}
	}
	return l.versions[0]
}

func referenceDefects(s *Set, g *grantDoc, at time.Time) []defect {
	var found []defect
	add := func(standing rationale.Standing, format string, args ...any) {
		found = append(found, defect{standing, fmt.Sprintf(format, args...)})
	}
	for _, h := range s.policy.Halts {
		if referenceBinds(h, g, at) {
			add(h.standing(), "%s by %s on %s: %s", h.standing(), names(h.By), stamp(h.At), h.Reason)
		}
	}
	if !g.Signed && !s.options.trust.allowUnsigned {
		add(rationale.StandingUnsigned, "the document has no valid signature of the keys that may grant it")
	}
	var newest versions.Version
	for _, v := range s.seen[g.ID.Value] {
		if v.Number > max(g.Version, newest.Number) && !at.Before(v.Granted) {
			newest = v
		}
	}
	if newest.Number > 0 {
		add(rationale.StandingSuperseded, "version %d was in force since %s", newest.Number, stamp(newest.Granted))
	}
	if at.Before(g.Grant.At) {
		add(rationale.StandingNotYetEffective, "the grant takes effect at %s", stamp(g.Grant.At))
	}
	if !at.Before(g.Grant.Expires) {
		add(rationale.StandingExpired, "the grant expired at %s", stamp(g.Grant.Expires))
	}
	if next := referenceReview(s, g, at); !at.Before(next) {
		add(rationale.StandingReviewLapsed, "reauthorization was due at %s", stamp(next))
	}
	slices.SortStableFunc(found, func(a, b defect) int { return cmp.Compare(a.standing, b.standing) })
	return found
}

func referenceBinds(h *haltDoc, g *grantDoc, at time.Time) bool {
	if at.Before(h.At) || (!h.Revocation && !h.Until.IsZero() && !at.Before(h.Until)) {
		return false
	}
	if h.Authorization == "" {
		return h.Agent == "*" || h.Agent == g.Agent.Value
	}
	return h.Authorization == "*" || h.Authorization == g.ID.Value
}

func referenceReview(s *Set, g *grantDoc, at time.Time) time.Time {
	last := g.Grant.At
	for _, r := range s.policy.Reaffirmations {
		if s.reaffirms(r, g) && r.At.After(last) && !at.Before(r.At) {
			last = r.At
		}
	}
	return last.Add(g.Every)
}

var firstDay = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// Few instants, so that many fall together.
var drawnDay = rapid.Custom(func(t *rapid.T) time.Time {
	return firstDay.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "day")) * day)
})

// drawnSet is a Set of a few grants, with all that bears on their standing.
var drawnSet = rapid.Custom(func(t *rapid.T) *Set {
	names := rapid.SampledFrom([]string{"a", "b"})
	s := &Set{lines: make(map[string]*line), agents: make(map[agentKey]*agentScope), seen: make(map[string]versions.Seen)}
	s.options.trust.allowUnsigned = rapid.Bool().Draw(t, "allow unsigned")
	for _, id := range []string{"a", "b"} {
		for version := 1; version <= rapid.IntRange(0, 3).Draw(t, "versions"); version++ {
			g := &grantDoc{ID: text{Value: id}, Version: version, Agent: text{Value: "bot-" + names.Draw(t, "agent")}, Environments: []string{"prod"}}
			g.Signed = rapid.Bool().Draw(t, "signed")
			g.Grant.At = drawnDay.Draw(t, "at")
			g.Grant.Expires = g.Grant.At.Add(time.Duration(rapid.IntRange(1, 6).Draw(t, "term")) * day)
			g.Every = time.Duration(rapid.IntRange(1, 4).Draw(t, "every")) * day
			if rapid.Bool().Draw(t, "observes") {
				g.ObserveUntil = drawnDay.Draw(t, "observe until")
			}
			s.policy.Grants = append(s.policy.Grants, g)
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "newer") {
		s.seen["a"] = s.seen["a"].With(versions.Version{Number: rapid.IntRange(1, 7).Draw(t, "newer version"), Granted: drawnDay.Draw(t, "newer at")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "reaffirmations") {
		s.policy.Reaffirmations = append(s.policy.Reaffirmations, &reaffirmationDoc{
			Authorization: text{Value: names.Draw(t, "reaffirmed")}, Version: rapid.IntRange(0, 3).Draw(t, "reaffirmed version"), At: drawnDay.Draw(t, "reaffirmed at"),
		})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "halts") {
		h := &haltDoc{Revocation: rapid.Bool().Draw(t, "revocation"), Reason: fmt.Sprint("reason ", i)}
		if rapid.IntRange(0, 4).Draw(t, "dated") > 0 { // else the date could not be read
			h.At = drawnDay.Draw(t, "halted at")
		}
		if rapid.Bool().Draw(t, "ends") {
			h.Until = drawnDay.Draw(t, "halted until")
		}
		named := rapid.SampledFrom([]string{"*", "a", "b"}).Draw(t, "halted")
		if rapid.Bool().Draw(t, "by agent") {
			if h.Agent = named; named != "*" {
				h.Agent = "bot-" + named
			}
		} else {
			h.Authorization = named
		}
		s.policy.Halts = append(s.policy.Halts, h)
	}
	s.index()
	s.settle()
	return s
})

// Stretches and periods say at every time what the documents say.
func TestStretchesAreTheStanding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnSet.Draw(t, "documents")
		at := firstDay.Add(time.Duration(rapid.IntRange(-2, 20).Draw(t, "day"))*day + time.Duration(rapid.IntRange(-1, 1).Draw(t, "nanosecond")))
		for _, g := range s.policy.Grants {
			now := g.standingAt(at)
			assert.Equal(t, referenceDefects(s, g, at), now.defects, "%s v%d", g.ID.Value, g.Version)
			assert.Equal(t, referenceReview(s, g, at), now.nextReview, "%s v%d", g.ID.Value, g.Version)
		}
		for id, l := range s.lines {
			assert.Same(t, referenceCompeting(l, at), l.competing(at), id)
		}
		for key, scope := range s.agents {
			authorized, enforced := false, false
			for _, l := range s.lines {
				if g := referenceCompeting(l, at); g.covers(key.agent, key.environment) {
					authorized, enforced = true, enforced || !at.Before(g.ObserveUntil)
				}
			}
			assert.Equal(t, authorized, scope.authorized.has(at), "%v is authorized", key)
			assert.Equal(t, enforced, scope.enforced.has(at), "%v is enforced", key)
		}
	})
}

func TestUnionOfPeriods(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Custom(func(t *rapid.T) time.Time {
			if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
				return time.Time{}
			}
			return drawnDay.Draw(t, "limit")
		})
		drawn := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) period {
			return period{limit.Draw(t, "from"), limit.Draw(t, "until")}
		}), 0, 5).Draw(t, "periods")
		joined := union(drawn)
		for i := 1; i < len(joined); i++ {
			assert.True(t, joined[i-1].until.Before(joined[i].from), "they are apart: %v", joined)
		}
		for hours := -30; hours < 15*24; hours += 6 {
			at := firstDay.Add(time.Duration(hours) * time.Hour)
			assert.Equal(t, slices.ContainsFunc(drawn, func(p period) bool { return p.has(at) }), joined.has(at), "%v at %v", drawn, at)
		}
	})
}
