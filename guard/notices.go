package guard

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// maxNoticed bounds what is remembered of one kind of notice; beyond it all of
// that kind is forgotten, and noticed again.
const maxNoticed = 4096

// notices remembers what evaluations have shown of authorizations, so that each
// change is recorded once.
type notices struct {
	mu       sync.Mutex
	standing map[string]rationale.Standing // by authorization id; none: active
	observes map[classKey]bool
	pins     map[pinKey]bool
	// some says that standing or observes is not empty: what is as it should be
	// can then be a change.
	some atomic.Bool
}

// unremarkable holds for a decision that shows nothing to notice where nothing
// was noticed before. A pin that does not match shows in the standing.
func unremarkable(d *rationale.Decision) bool {
	return (d.Authorization == nil || d.Standing == rationale.StandingActive) && d.Mode != rationale.Observe
}

type classKey struct{ authorization, class string }

type pinKey struct{ authorization, what, runs string }

func newNotices() *notices {
	return &notices{
		standing: make(map[string]rationale.Standing),
		observes: make(map[classKey]bool),
		pins:     make(map[pinKey]bool),
	}
}

// note records what a decision shows to have changed by itself. What cannot be
// recorded is noticed again by a later decision.
func (g *Guard) note(ctx context.Context, d *rationale.Decision) {
	if slices.Contains(d.Reasons, rationale.EvidenceUnavailable) {
		return
	}
	due, undo := g.notices.of(d)
	if len(due) == 0 {
		return
	}
	step := newStep(ctx)
	defer step.end()
	if g.record(step, d.At, due) != nil {
		undo()
	}
}

// of returns the records that are due, and how to have them noticed again.
func (n *notices) of(d *rationale.Decision) (due []*rationale.Lifecycle, undo func()) {
	if !n.some.Load() && unremarkable(d) {
		return nil, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var each []func()
	notice := func(event rationale.Event, message string, f func()) {
		due = append(due, &rationale.Lifecycle{
			Event: event, Authorization: d.Authorization, Standing: d.Standing, Message: message,
		})
		each = append(each, f)
	}
	n.standings(d, notice)
	n.modes(d, notice)
	n.mismatches(d, notice)
	n.remarked()
	return due, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, f := range each {
			f()
		}
		n.remarked()
	}
}

// remarked keeps some up to date. The lock is held.
func (n *notices) remarked() { n.some.Store(len(n.standing)+len(n.observes) > 0) }

type noticeFunc func(event rationale.Event, message string, undo func())

// standings notices that an authorization is no longer in force. Pins are
// apart: they can differ between the tools of one authorization.
func (n *notices) standings(d *rationale.Decision, notice noticeFunc) {
	if d.Authorization == nil || d.Standing == rationale.StandingPinMismatch {
		return
	}
	id := d.Authorization.ID
	before, known := n.standing[id]
	if before == d.Standing || !known && d.Standing == rationale.StandingActive {
		return
	}
	if d.Standing == rationale.StandingActive {
		delete(n.standing, id)
		return // a document says so, and that document is on record
	}
	remember(n.standing, id, d.Standing)
	event := rationale.EventLapsed
	switch d.Standing {
	case rationale.StandingRevoked:
		event = rationale.EventRevoked
	case rationale.StandingSuspended:
		event = rationale.EventSuspended
	}
	notice(event, "authorization "+id+" is "+d.Standing.String(), func() { delete(n.standing, id) })
}

// modes notices that a class begins or ends to be observed. A decision that was
// denied in spite of it says nothing about it.
func (n *notices) modes(d *rationale.Decision, notice noticeFunc) {
	observes := d.Mode == rationale.Observe
	if !observes && slices.ContainsFunc(d.Reasons, rationale.Reason.DeniesObserved) {
		return
	}
	key := classKey{class: d.Class}
	if d.Authorization != nil {
		key.authorization = d.Authorization.ID
	}
	if n.observes[key] == observes {
		return
	}
	message := "observing ended: verdicts of this class are enforced"
	if observes {
		message = "observing began: verdicts of this class are recorded and not enforced"
	}
	if d.Class != "" {
		message += " (" + d.Class + ")"
	}
	began, ended := func() { remember(n.observes, key, true) }, func() { delete(n.observes, key) }
	if observes {
		began()
		notice(rationale.EventMode, message, ended)
	} else {
		ended()
		notice(rationale.EventMode, message, began)
	}
}

// mismatches notices a tool, a model or a prompt that is not the pinned one.
func (n *notices) mismatches(d *rationale.Decision, notice noticeFunc) {
	if d.Authorization == nil {
		return
	}
	one := func(pin rationale.Pin, what, runs string) {
		key := pinKey{d.Authorization.Digest, what, runs}
		if pin != rationale.Mismatch || n.pins[key] {
			return
		}
		remember(n.pins, key, true)
		notice(rationale.EventPin, what+" is not the pinned one: "+runs, func() { delete(n.pins, key) })
	}
	one(d.Tool.Pin, classify.ToolID{Server: d.Tool.Server, Name: d.Tool.Name}.String(), d.Tool.Digest)
	one(d.Prompt.Pin, "prompt", d.Prompt.Digest)
	if d.Model.Pin == rationale.Mismatch {
		one(d.Model.Pin, "model", d.Model.Provider+"/"+d.Model.Name+" "+d.Model.Version)
	}
}

func remember[K comparable, V any](m map[K]V, key K, value V) {
	if _, ok := m[key]; !ok && len(m) >= maxNoticed {
		clear(m)
	}
	m[key] = value
}
