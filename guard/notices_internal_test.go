package guard

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

// What could not be recorded is noticed again, also where nothing else is as it should
// not be: then a decision that shows nothing would not be looked at.
func TestWhatCouldNotBeRecordedIsNoticedAgain(t *testing.T) {
	at := func(standing rationale.Standing, mode rationale.Mode) *rationale.Decision {
		return &rationale.Decision{
			Class: "scale", Mode: mode, Standing: standing,
			Authorization: &rationale.AuthorizationRef{ID: "fleet"},
		}
	}
	enforced, observed := at(rationale.StandingActive, rationale.Enforce), at(rationale.StandingActive, rationale.Observe)
	lapsed := at(rationale.StandingReviewLapsed, rationale.Enforce)
	for name, decisions := range map[string][]*rationale.Decision{
		"observing begins": {observed},
		"observing ends":   {observed, enforced},
		"lapses":           {lapsed},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNotices()
			last := len(decisions) - 1
			for _, d := range decisions[:last] {
				n.of(d)
			}
			first, undo := n.of(decisions[last])
			require.Len(t, first, 1)
			undo()
			again, _ := n.of(decisions[last])
			assert.Equal(t, first, again)
			once, _ := n.of(decisions[last])
			assert.Empty(t, once)
		})
	}
}
