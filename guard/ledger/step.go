package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// step is one change of the ledger.
type step interface {
	// take judges the change on the state as it is, takes what it needs, and
	// returns the records that make it. With an error nothing was taken.
	take() (recs []rationale.Record, expendable bool, err error)
	// undo gives back what take took, since the records were not recorded; for an
	// uncertain one it is called again, with false, if they prove not to be.
	undo(uncertain bool)
}

// turn is for what one caller does at a time, checked against what was before. Who
// waits for it gets it in the order of asking.
type turn struct {
	mu    sync.Mutex
	taken bool
	line  []chan struct{} // of who waits; closed when it is theirs
}

func (t *turn) take(ctx context.Context) error {
	gone, mine := t.ask(ctx)
	select {
	case <-gone: // also where the turn is free
	default:
		select {
		case <-mine:
			return nil
		case <-gone:
		}
	}
	t.leave(mine)
	return fmt.Errorf("ledger: waiting for another answer: %w", context.Cause(ctx))
}

// ask puts the caller in line. It asks for the end of the context in the same moment.
func (t *turn) ask(ctx context.Context) (gone <-chan struct{}, mine chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	gone, mine = ctx.Done(), make(chan struct{})
	t.line = append(t.line, mine)
	if !t.taken {
		t.next()
	}
	return gone, mine
}

// leave takes back the asking, or gives back the turn.
func (t *turn) leave(mine chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.line, mine); i >= 0 {
		t.line = slices.Delete(t.line, i, i+1)
		return
	}
	t.next()
}

func (t *turn) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next()
}

// next gives the turn to the first in line. It is called with mu held.
func (t *turn) next() {
	if t.taken = len(t.line) > 0; t.taken {
		close(t.line[0])
		t.line = t.line[1:]
	}
}

// commit makes a step, with the outcomes of what went adrift.
func (m *Memory) commit(ctx context.Context, s step) error {
	if m.shared != nil {
		return m.share(ctx, s)
	}
	strays := m.takeStrays()
	recs, expendable, err := s.take()
	if err != nil {
		m.returnStrays(strays)
		return err
	}
	recs = append(recs, notExecuted(strays, recs[0].RecordTime())...)
	if err := m.write(ctx, expendable && len(strays) == 0, recs); err != nil {
		uncertain := errors.Is(err, journal.ErrUncertain)
		if !uncertain { // otherwise they may have their outcome
			m.returnStrays(strays)
		}
		s.undo(uncertain)
		return err
	}
	if m.journal == nil {
		for _, rec := range recs {
			m.apply(rec, 0)
		}
	}
	m.notify(recs[0].RecordTime())
	return nil
}

// write calls the recorder; a panic of it is an error.
func (m *Memory) write(ctx context.Context, expendable bool, recs []rationale.Record) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("ledger: the recorder panicked: %v", r)
		}
	}()
	if m.recorder == nil {
		return errors.New("ledger: there is no recorder")
	}
	if w, ok := m.recorder.(interface {
		Write(ctx context.Context, recs ...rationale.Record) error
	}); ok && expendable {
		return w.Write(ctx, recs...)
	}
	return m.recorder.Append(ctx, recs...)
}

// asIs is the step of records that need nothing of the state.
type asIs []rationale.Record

func (s asIs) take() ([]rationale.Record, bool, error) { return s, false, nil }
func (s asIs) undo(bool)                               {}

// notExecuted are the outcomes of decisions that were denied although they are
// recorded as allowed.
func notExecuted(decisions []string, at time.Time) []rationale.Record {
	recs := make([]rationale.Record, len(decisions))
	for i, id := range decisions {
		recs[i] = &rationale.Outcome{
			Kind: rationale.KindOutcome, ID: rationale.NewID(at), At: at, Decision: id,
			Status: rationale.StatusNotExecuted, ErrorType: "evidence_unavailable",
		}
	}
	return recs
}

// lost is the outcome of a decision for which no outcome came.
func lost(decision string, at time.Time, why string) *rationale.Outcome {
	return &rationale.Outcome{
		Kind: rationale.KindOutcome, ID: rationale.NewID(at), At: at, Decision: decision,
		Status: rationale.StatusUnknown, ErrorType: why,
	}
}
