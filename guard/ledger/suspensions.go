package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// maxSuspensions bounds what can be suspended apart, beside everything.
const maxSuspensions = 4096

// suspensions are those in force.
type suspensions map[rationale.Suspension]suspended

type suspended struct {
	by       *rationale.Lifecycle // the record that says so
	recorded bool
}

// deny adds a failed check for every suspension that concerns the draft.
func (s suspensions) deny(d *rationale.Decision) {
	if len(s) == 0 {
		return
	}
	for _, what := range s.list() {
		if what.Concerns(d) {
			d.Checks = append(d.Checks, rationale.Check{
				Kind: rationale.CheckSuspended, ID: "suspended " + what.String(), Result: rationale.Failed, Reason: rationale.Suspended,
				Message: "suspended by " + s[what].by.By + ": " + s[what].by.Message,
			})
		}
	}
}

// list returns what is suspended, in the order of the names.
func (s suspensions) list() []rationale.Suspension {
	all := make([]rationale.Suspension, 0, len(s))
	for what := range s {
		all = append(all, what)
	}
	slices.SortFunc(all, func(a, b rationale.Suspension) int { return cmp.Compare(a.String(), b.String()) })
	return all
}

// apply takes in a record of a person's suspension, or of its end.
func (s suspensions) apply(l *rationale.Lifecycle) {
	switch {
	case l.Suspension == nil:
	case l.Event == rationale.EventSuspended:
		s[*l.Suspension] = suspended{l, true}
	case l.Event == rationale.EventResumed:
		delete(s, *l.Suspension)
	}
}

// Suspensions returns the records of the suspensions by people that are in force.
// Those of the documents are apart. What they refer to is shared.
func (m *Memory) Suspensions() []*rationale.Lifecycle {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*rationale.Lifecycle, 0, len(m.suspensions))
	for _, what := range m.suspensions.list() {
		all = append(all, m.suspensions[what].by)
	}
	return all
}

// Suspend denies every call that it concerns, from the next admission on: once it
// has returned, nothing that was checked before is still being admitted. By, whom the
// host's own login has verified, and why are recorded. The zero at is now, as for
// [Memory.Answer].
//
// It fails closed: with an error of the recorder or of ctx the suspension is in force, until
// [Memory.Resume] or the end of the process; suspend again to have it on record. An
// invalid one, one without by and why, and one beyond 4,096 that is not of everything
// are [ErrRefused], and not in force. What is suspended already stays so, with both
// records.
func (m *Memory) Suspend(ctx context.Context, what rationale.Suspension, by, why string, at time.Time) error {
	l, err := m.switched(rationale.EventSuspended, what, by, why, at)
	if err != nil {
		return err
	}
	if err := m.halt(what, l); err != nil { // at once, whoever has the turn
		return err
	}
	if err := m.switching.take(ctx); err != nil {
		return err
	}
	defer m.switching.end()
	if err := m.halt(what, l); err != nil { // again, since who had it may have resumed
		return err
	}
	if err := m.commit(ctx, &suspending{m, what, l}); err != nil {
		return fmt.Errorf("%s is suspended by this process until it ends, and may not be on record: suspend it again: %w", what, err)
	}
	return nil
}

// halt denies what a suspension concerns, and waits until what was checked before is
// recorded.
func (m *Memory) halt(what rationale.Suspension, l *rationale.Lifecycle) error {
	m.mu.Lock()
	said := *l // the step may still be given its time
	m.identify(&said.ID, &said.At)
	err := m.suspensions.add(what, &said)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	m.admitting.Lock()
	//lint:ignore SA2001 a barrier: there is nothing to do but wait
	m.admitting.Unlock()
	return nil
}

// add puts a suspension in force, unless it is.
func (s suspensions) add(what rationale.Suspension, l *rationale.Lifecycle) error {
	if _, is := s[what]; is {
		return nil
	}
	if len(s) >= maxSuspensions && !what.Everything {
		return fmt.Errorf("%w: %d suspensions are in force already; suspend everything, or resume some", ErrRefused, maxSuspensions)
	}
	s[what] = suspended{by: l}
	return nil
}

// suspending is the step that a suspension makes, or its end. It fails closed: what
// is suspended stays so, recorded or not.
type suspending struct {
	*Memory
	what rationale.Suspension
	l    *rationale.Lifecycle
}

func (s *suspending) take() (recs []rationale.Record, expendable bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identify(&s.l.ID, &s.l.At)
	if s.l.Event == rationale.EventSuspended {
		err = s.suspensions.add(s.what, s.l)
	} else if _, is := s.suspensions[s.what]; !is {
		err = fmt.Errorf("%w: %s is not suspended by a person; a Suspension document ends when it is removed", ErrRefused, s.what)
	}
	return []rationale.Record{s.l}, false, err
}

func (s *suspending) undo(bool) {}

// Resume ends a suspension by a person, once that is recorded. What is not
// suspended, or not validly named, is [ErrRefused].
func (m *Memory) Resume(ctx context.Context, what rationale.Suspension, by, why string, at time.Time) error {
	l, err := m.switched(rationale.EventResumed, what, by, why, at)
	if err != nil {
		return err
	}
	if err := m.switching.take(ctx); err != nil {
		return err
	}
	defer m.switching.end()
	return m.commit(ctx, &suspending{m, what, l})
}

// switched makes the record of a suspension, or of its end.
func (m *Memory) switched(event rationale.Event, what rationale.Suspension, by, why string, at time.Time) (*rationale.Lifecycle, error) {
	if m.suspensions == nil {
		return nil, errors.New("ledger: the zero Memory admits nothing")
	}
	if err := what.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := m.reached(at); err != nil {
		return nil, err
	}
	if strings.TrimSpace(by) == "" || strings.TrimSpace(why) == "" {
		return nil, fmt.Errorf("%w: the record needs who does it, and why", ErrRefused)
	}
	l := &rationale.Lifecycle{
		Kind: rationale.KindLifecycle, At: at, Event: event, Suspension: &what,
		By: rationale.Clip(rationale.Printable(by), 256), Message: rationale.Clip(rationale.Printable(why), 2048),
	}
	if what.Agent != "" {
		l.Agent.ID = what.Agent
	}
	return l, nil
}

func (s suspensions) save() ([]json.RawMessage, error) {
	var saved []json.RawMessage
	for _, what := range s.list() {
		if !s[what].recorded {
			continue
		}
		data, err := rationale.Marshal(s[what].by)
		if err != nil {
			return nil, err
		}
		saved = append(saved, data)
	}
	return saved, nil
}

func (s suspensions) restore(saved []json.RawMessage) error {
	clear(s)
	for _, data := range saved {
		l, err := rationale.UnmarshalAs[*rationale.Lifecycle](data)
		if err != nil {
			return err
		}
		s.apply(l)
	}
	return nil
}
