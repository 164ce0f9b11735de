package simulate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// reviews checks that more than max_overdue overdue reviews make a class wait for
// people, and nothing else does; and that reviews come from those who may give them.
func (c *checker) reviews() error {
	for _, f := range c.facts {
		r, ok := f.rec.(*rationale.Review)
		switch {
		case !ok:
		case !mayReview(r.By):
			return violated("only who may review reviews", "%s", f.event)
		case c.early(f, r):
			return violated("an action is reviewed once it has ended, or its lease has", "%s", f.event)
		}
	}
	for _, e := range c.events {
		if e.d == nil || e.end == 0 || e.err != nil {
			continue
		}
		at := c.place(e)
		if at < 0 {
			continue // it was expendable
		}
		from, to := c.time(e, at)
		allowed := c.plan.World.Classes[e.class].Terms.MaxOverdue
		braked := slices.Contains(e.d.Reasons, rationale.ReviewDebt)
		passes := e.d.Verdict == rationale.Allow && e.d.Mode == rationale.Enforce && e.d.Approval == ""
		switch {
		case passes && c.overdue(e, at, from, true) > allowed:
			return violated("too many overdue reviews brake the class", "%s: more than %d are", e, allowed)
		case braked && c.overdue(e, at, to, false) <= allowed:
			return violated("nothing brakes a class that owes no more than it may", "%s: at most %d are overdue", e, allowed)
		}
	}
	return nil
}

// early reports whether an action certainly was to have its outcome yet when it was
// reviewed.
func (c *checker) early(f *fact, r *rationale.Review) bool {
	if f.event.end == 0 {
		return false // nobody knows until when it went on
	}
	for _, was := range c.byID[r.Decision] {
		d, ok := was.rec.(*rationale.Decision)
		if _, to := c.time(f.event, f.n); !ok || to.After(c.leased(was.event, d)) {
			return false
		}
	}
	return !slices.ContainsFunc(c.about[r.Decision], func(o *fact) bool {
		_, ok := o.rec.(*rationale.Outcome)
		return ok && o.n < f.n
	})
}

// leased is until when the outcome of a decision is expected.
func (c *checker) leased(e *event, d *rationale.Decision) time.Time {
	if !d.Lease.IsZero() {
		return d.Lease
	}
	return d.At.Add(cmp.Or(c.plan.World.Classes[e.class].Terms.Lease, rationale.DefaultLease))
}

// overdue counts the reviews of an event's class that are overdue at a time: those
// that certainly are, or those that may be.
func (c *checker) overdue(e *event, at int, now time.Time, certainly bool) int {
	opened, closed := c.may, c.surely
	if certainly {
		opened, closed = c.must, c.may
	}
	n := 0
	for _, f := range c.facts {
		d, ok := f.rec.(*rationale.Decision)
		if !ok || d.Review == nil || d.Class != e.d.Class || d.Authorization.ID != e.d.Authorization.ID || !opened(f, e, at) || d.Review.Due.After(now) {
			continue
		}
		answered := slices.ContainsFunc(c.about[d.ID], func(f *fact) bool {
			switch r := f.rec.(type) {
			case *rationale.Review:
				return closed(f, e, at)
			case *rationale.Outcome:
				return r.Status == rationale.StatusNotExecuted && closed(f, e, at)
			}
			return false
		})
		if !answered {
			n++
		}
	}
	return n
}

func mayReview(by rationale.Person) bool {
	id := strings.ToLower(by.ID)
	return slices.Contains(by.Groups, "reviewers") && !slices.Contains(by.Groups, "approvers") && id != owner && id != requester
}

// rightlyUnreviewed checks that a review was refused for a reason.
func (c *checker) rightlyUnreviewed(e *event) error {
	if !mayReview(e.r.By) || c.rival(e, func(o *event) bool { return o.r != nil && o.r.Decision == e.r.Decision }) {
		return nil
	}
	done := false
	for _, f := range c.byID[e.r.Decision] {
		d, ok := f.rec.(*rationale.Decision)
		done = done || ok && !c.shared && e.r.At.After(c.leased(f.event, d))
	}
	for _, f := range c.about[e.r.Decision] {
		if o, ok := f.rec.(*rationale.Outcome); ok {
			if o.Status == rationale.StatusNotExecuted {
				return nil
			}
			done = done || c.certainHere(f, e)
		}
	}
	if done && slices.ContainsFunc(c.byID[e.r.Decision], func(f *fact) bool { return c.certainHere(f, e) }) {
		return violated("a review that counts is taken", "%s", e)
	}
	return nil
}

// certainHere reports whether the process of an event has certainly heard of a
// record before it.
func (c *checker) certainHere(f *fact, e *event) bool {
	if f.certain == 0 || f.certain >= e.begin {
		return false
	}
	if !c.shared {
		return true
	}
	for _, o := range c.events { // it has appended behind it
		if o.life == e.life && o.err == nil && o.end > 0 && o.end < e.begin && c.place(o) >= f.n {
			return true
		}
	}
	return false
}

// suspensions checks that nothing is admitted that is suspended, from the moment at
// which that was acknowledged, and nothing denied for a suspension that is not in
// force.
func (c *checker) suspensions() error {
	for _, e := range c.events {
		if e.d == nil || e.end == 0 || e.err != nil {
			continue
		}
		at := c.place(e)
		denied := slices.Contains(e.d.Reasons, rationale.Suspended)
		possible := false
		for _, s := range c.events {
			if s.do != suspend || !s.what.Concerns(e.draft) {
				continue
			}
			certainly, maybe := c.inForce(s, e, at)
			possible = possible || maybe
			if certainly && !denied {
				return violated("no act is admitted after a suspension took effect", "%s: %s", e, s)
			}
		}
		if denied && !possible {
			return violated("what nobody has suspended goes on", "%s", e)
		}
	}
	return nil
}

// begins checks that a process begins with what is on record, and nothing else.
func (c *checker) begins() error {
	for _, l := range c.lives {
		for _, why := range l.suspended {
			if !slices.ContainsFunc(c.events, func(s *event) bool { return s.do == suspend && s.why == why && c.place(s) >= 0 }) {
				return violated("a process begins with what is on record", "a suspension that is not: %s", why)
			}
		}
	}
	return nil
}

// inForce reports whether a suspension certainly was in force for a call, and
// whether it may have been.
func (c *checker) inForce(s, e *event, at int) (certainly, maybe bool) {
	maybe = s.begin < e.end && (s.end > 0 || c.place(s) >= 0 || c.lives[s.life-1].end >= e.begin)
	place := c.place(s)
	ended := s.refused()
	for _, r := range c.events {
		if r.do != resume || r.what != s.what || r.refused() {
			continue
		}
		if c.shared && place >= 0 && c.place(r) >= 0 {
			if place < c.place(r) && c.place(r) < at {
				return false, r.end == 0 || r.end > e.begin
			}
			ended = ended || place < c.place(r) && at < 0
			continue
		}
		ended = ended || r.begin < e.end && (r.end == 0 || r.end > s.begin)
		if r.err == nil && r.end > 0 && r.end < e.begin && s.end > 0 && s.end < r.begin && !c.shared {
			maybe = false
		}
	}
	switch {
	case ended:
		return false, maybe
	case c.shared && place >= 0 && at >= 0 && place < at:
		return true, true
	case c.shared && place >= 0 && at >= 0 && s.life != e.life:
		return false, maybe
	case s.err == nil && s.end > 0 && (s.end < e.begin || !c.shared && e.begin < s.end && s.end < e.end):
		return true, true
	case s.err != nil && s.end > 0 && s.end < e.begin && s.life == e.life:
		return true, true // it fails closed, until the process ends
	}
	return false, maybe
}

// rightlyNotResumed checks that the end of a suspension was refused for a reason.
func (c *checker) rightlyNotResumed(e *event) error {
	for _, s := range c.events {
		if s.do != suspend || s.what != e.what || s.err != nil || s.end == 0 || s.end > e.begin || c.shared && s.life != e.life {
			continue
		}
		if !slices.ContainsFunc(c.events, func(r *event) bool {
			return r != e && r.do == resume && r.what == e.what && r.begin < e.end && (r.end == 0 || r.end > s.begin)
		}) {
			return violated("what is suspended can be resumed", "%s", e)
		}
	}
	return nil
}
