package simulate

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// evidence checks that what was acknowledged is on record, and that nobody finds on
// record what nobody asked for, or what was refused.
func (c *checker) evidence() error {
	for _, e := range c.events {
		if e.do == expire || e.end == 0 {
			continue
		}
		found := c.place(e) >= 0
		switch {
		case e.err == nil && !found:
			return violated("no act without a decision, and no answer without its record", "%s: its record is missing", e)
		case e.refused() && found:
			return violated("what is refused is not recorded", "%s", e)
		}
	}
	for _, f := range c.facts {
		switch r := f.rec.(type) {
		case *rationale.Decision, *rationale.Approval, *rationale.Review, *rationale.Settlement:
			if f.event == nil {
				return violated("a record has a cause", "%s %s is on record", r.RecordKind(), short(r.RecordID()))
			}
		}
	}
	return nil
}

// expire is the end of a history on a shared log.
const expire Action = "expire"

// refused reports whether the ledger said that something does not count.
func (e *event) refused() bool {
	return errors.Is(e.err, ledger.ErrRefused) || errors.Is(e.err, ledger.ErrNotOpen) || errors.Is(e.err, ledger.ErrNotHeld)
}

// outcomes checks that every allowed decision has exactly one outcome, that nothing
// else has one, and that each is one that there can be.
func (c *checker) outcomes() error {
	allowed := make(map[string]*fact)
	for _, f := range c.facts {
		d, ok := f.rec.(*rationale.Decision)
		if !ok || d.Verdict != rationale.Allow {
			continue
		}
		if allowed[d.ID] != nil {
			return violated("a decision is admitted once", "%s is on record twice", short(d.ID))
		}
		allowed[d.ID] = f
	}
	outcomes, settled := make(map[string]*fact), make(map[string]bool)
	for _, f := range c.facts {
		switch r := f.rec.(type) {
		case *rationale.Outcome:
			was := allowed[r.Decision]
			switch {
			case was == nil || was.n > f.n:
				return violated("only what was allowed has an outcome", "%s has one: %s", short(r.Decision), r.Status)
			case outcomes[r.Decision] != nil:
				return violated("an allowed decision has one outcome", "%s has two", short(r.Decision))
			case f.event == nil:
				if err := c.ownOutcome(was, f, r); err != nil {
					return err
				}
			}
			outcomes[r.Decision] = f
		case *rationale.Settlement:
			if settled[r.Decision] || allowed[r.Decision] == nil {
				return violated("what is held is settled once", "%s", short(r.Decision))
			}
			settled[r.Decision] = true
		}
	}
	for id := range allowed {
		if outcomes[id] == nil {
			return violated("an allowed decision has one outcome", "%s has none", short(id))
		}
	}
	return nil
}

// ownOutcome checks an outcome that the ledger made by itself.
func (c *checker) ownOutcome(was, f *fact, o *rationale.Outcome) error {
	d, e := was.rec.(*rationale.Decision), was.event
	switch {
	case o.Status == rationale.StatusNotExecuted:
		denied := false
		for _, e := range c.events {
			if e.draft == nil || e.draft.ID != d.ID {
				continue
			}
			if e.allowed() {
				return violated("what ran has not the outcome not_executed", "%s", e)
			}
			denied = denied || e.err != nil
		}
		if !denied {
			return violated("what may have run has not the outcome not_executed", "%s", e)
		}
	case o.Status != rationale.StatusUnknown:
		return violated("nobody makes outcomes up", "%s: %s", short(o.Decision), o.Status)
	case c.shared && d.Lease.After(slices.MaxFunc(c.times[:f.n+1], time.Time.Compare).Add(maxSetBack)):
		return violated("an outcome is expected until its lease ends", "%s: until %s, and it was given up at %s", short(d.ID), d.Lease, c.times[f.n])
	case !c.shared && c.lives[e.life-1].end == 0:
		return violated("an outcome is expected as long as its process lives", "%s", short(d.ID))
	}
	return nil
}

// denials checks that no denial is lost: those that could not be recorded are
// counted, and the counts are on record, but for what a process that ended had not
// yet recorded.
func (c *checker) denials() error {
	for n := range c.lives {
		missed, said, open := 0, 0, 0
		for _, e := range c.events {
			if e.life != n+1 || e.end == 0 {
				continue
			}
			switch {
			case e.draft != nil && e.err != nil:
				missed++
				open++
			case e.gap != nil && e.err == nil:
				said += int(e.gap.Denied)
				open -= int(e.gap.Denied)
			}
		}
		if said+max(open, 0) != missed {
			return violated("no denial is lost", "of %d denied without a record %d are said to be, and %d are not yet", missed, said, open)
		}
	}
	return nil
}

// failures checks that an operation fails only where something is wrong.
func (c *checker) failures() error {
	for _, e := range c.events {
		if e.end == 0 || e.err == nil || e.gaveUp || e.skewed || c.troubled(e) || e.draft != nil && c.known(e) {
			continue
		}
		if e.refused() {
			if err := c.rightly(e); err != nil {
				return err
			}
			continue
		}
		return violated("nothing fails for no reason", "%s", e)
	}
	return nil
}

// known reports whether a draft was delivered before, and may have been admitted.
func (c *checker) known(e *event) bool {
	for _, o := range c.events {
		if o != e && o.draft != nil && o.draft.ID == e.draft.ID && o.begin < e.end && (o.end == 0 || o.err != nil || o.end > e.begin || o.d.Verdict == rationale.Allow) {
			return e.known()
		}
	}
	return false
}

// known reports whether the ledger said that it has the decision already.
func (e *event) known() bool {
	return e.err != nil && (strings.Contains(e.err.Error(), "admitted before") || strings.Contains(e.err.Error(), "open already"))
}

// troubled reports whether disk or network failed then, or had not worked since.
func (c *checker) troubled(e *event) bool {
	for _, t := range c.troubles {
		if t.begin > e.end {
			continue
		}
		if t.end == 0 || t.end >= e.begin {
			return true
		}
		recovered := false
		for _, o := range c.events {
			recovered = recovered || o.err == nil && o.begin > t.end && o.end > 0 && o.end < e.begin
		}
		if !recovered {
			return true
		}
	}
	return false
}

// rightly checks that an outcome, a settlement or an answer was refused for a reason.
func (c *checker) rightly(e *event) error {
	switch {
	case e.o != nil:
		return c.rightlyNotOpen(e)
	case e.s != nil:
		return c.rightlyNotHeld(e)
	case e.a != nil:
		return c.rightlyUnanswered(e)
	case e.r != nil:
		return c.rightlyUnreviewed(e)
	case e.do == resume:
		return c.rightlyNotResumed(e)
	}
	return violated("nothing is refused for no reason", "%s", e)
}

// rival reports whether another operation like it was under way at the same time,
// had no certain end, or is on record.
func (c *checker) rival(e *event, alike func(*event) bool) bool {
	for _, o := range c.events {
		if o != e && alike(o) && o.begin < e.end && (o.end == 0 || o.err == nil || o.end > e.begin || errors.Is(o.err, errUncertain) || c.place(o) >= 0) {
			return true
		}
	}
	return false
}

func (c *checker) rightlyNotOpen(e *event) error {
	if c.rival(e, func(o *event) bool { return o.o != nil && o.o.Decision == e.o.Decision }) {
		return nil
	}
	for _, f := range c.about[e.o.Decision] {
		if _, ok := f.rec.(*rationale.Outcome); ok && f.event == nil {
			return nil // the ledger's own
		}
	}
	for _, f := range c.byID[e.o.Decision] {
		if d := f.rec.(*rationale.Decision); d.Verdict == rationale.Allow && f.certain > 0 && f.certain < e.begin {
			return violated("an outcome that is expected is taken", "%s", e)
		}
	}
	return nil
}

func (c *checker) rightlyNotHeld(e *event) error {
	t := c.calls[e.s.Decision]
	if t == nil || c.rival(e, func(o *event) bool { return o.s != nil && o.s.Decision == e.s.Decision }) {
		return nil
	}
	if !t.admitted.event.allowed() {
		return nil // the ledger may be recording that it did not run
	}
	for _, o := range c.events { // an outcome that is being recorded comes first
		if o.o != nil && o.o.Decision == e.s.Decision && o.begin < e.end && (o.end == 0 || o.end > e.begin || errors.Is(o.err, errUncertain)) {
			return nil
		}
	}
	n := t.prefix(func(f *fact) bool { return f.certain > 0 && f.certain < e.begin })
	if n == 0 {
		return nil
	}
	for n, l := n, &t.d.Limits[0]; n <= 1+len(t.then); n++ {
		if n > 1 && t.then[n-2].begin > e.end {
			break
		}
		if !t.after(n, l).always {
			return nil // it had ended
		}
	}
	late := !c.shared && e.s.At.After(t.d.Lease)
	for _, f := range t.then[:n-1] {
		if o, ok := f.rec.(*rationale.Outcome); ok && (o.Status == rationale.StatusUnknown || o.At.After(t.d.Lease)) {
			late = true
		}
	}
	if late {
		return violated("what is held can be settled", "%s", e)
	}
	return nil
}
