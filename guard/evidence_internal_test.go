package guard

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// lifecycles is a ledger that keeps lifecycle records, and admits nothing.
type lifecycles struct {
	events    []rationale.Event
	denied    int64
	recording func()
}

func (*lifecycles) Admit(context.Context, *rationale.Decision) error { return errors.New("closed") }

func (*lifecycles) Complete(context.Context, *rationale.Outcome) error { return errors.New("closed") }

func (l *lifecycles) Record(_ context.Context, recs ...rationale.Record) error {
	if l.recording != nil {
		l.recording()
	}
	for _, rec := range recs {
		r := rec.(*rationale.Lifecycle)
		l.events, l.denied = append(l.events, r.Event), l.denied+r.Denied
	}
	return nil
}

func settledGuard(t *testing.T) (*Guard, *lifecycles) {
	t.Helper()
	l := new(lifecycles)
	g, err := New(nil, Agent{ID: "a", Environment: "test"}, WithLedger(l), AllowUnsigned())
	require.NoError(t, err)
	require.Equal(t, []rationale.Event{rationale.EventManifest}, l.events)
	require.Same(t, g.policy.Load(), g.evidence.settled.Load())
	l.events = nil
	return g, l
}

// Whatever is due stops the next decision until it is on record, also where the
// policy was on record before.
func TestWhatIsDueIsRecordedOnce(t *testing.T) {
	g, l := settledGuard(t)
	settle := func() { require.NoError(t, g.evidence.settle(t.Context(), g.policy.Load())) }
	settle()
	assert.Empty(t, l.events, "nothing is due")

	g.evidence.missed(guardNow)
	g.evidence.missed(guardNow)
	settle()
	settle()
	assert.Equal(t, []rationale.Event{rationale.EventEvidence}, l.events)
	assert.EqualValues(t, 2, l.denied)

	refused := []authority.Document{{Name: "a.yaml"}}
	g.evidence.refuse(refused, authority.Errors{{File: "a.yaml", Message: "no"}})
	settle()
	settle()
	assert.Equal(t, []rationale.Event{rationale.EventEvidence, rationale.EventRefused}, l.events)
}

// What becomes due while records are written stays due.
func TestWhatBecomesDueMeanwhileStaysDue(t *testing.T) {
	for name, happens := range map[string]func(*evidence){
		"a denial": func(e *evidence) { e.missed(guardNow) },
		"a refusal": func(e *evidence) {
			e.refuse([]authority.Document{{Name: "a.yaml"}}, authority.Errors{{File: "a.yaml"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, l := settledGuard(t)
			g.evidence.missed(guardNow)
			l.recording = func() { l.recording = nil; happens(g.evidence) }
			require.NoError(t, g.evidence.settle(t.Context(), g.policy.Load()))
			assert.Nil(t, g.evidence.settled.Load())
			require.Len(t, l.events, 1)
			require.NoError(t, g.evidence.settle(t.Context(), g.policy.Load()))
			assert.Len(t, l.events, 2)
			assert.Same(t, g.policy.Load(), g.evidence.settled.Load())
		})
	}
}
