package audit

import (
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// decision is a decision with its outcome, as far as an audit looks at them.
type decision struct {
	id       string
	at       time.Time
	verdict  string
	standing string
	class    string
	effect   string
	tool     string
	agent    int // index of Document.agents
	approval string
	// The id of the authorization that decided; empty: none did.
	authorization string
	parent        string
	expires       time.Time // of the authorization
	lapses        time.Time // of the approval that was used, where that is known

	arguments [][]string // by index of Document.arguments; none: the record does not have them

	status  string    // of the outcome; empty: there is none
	ended   time.Time // the outcome
	effects []string  // the ids that the target system gave
	settled settlement

	place string // file and position of the record
	used  []use  // the acts that it explains already
	named bool   // an event that it does not cover carries its key
	acted shown
}

// settlement is what a person said of how the call ended.
type settlement struct {
	at     time.Time
	status string // empty: nobody said anything
	by     string
	place  string
}

// shown says that events which the decision explains show that the call acted.
type shown struct {
	now    bool // by an event that no earlier run judged
	before bool
}

func (s *shown) by(e *event) {
	s.now, s.before = s.now || !e.seen, s.before || e.seen
}

// use is an act that a decision explains.
type use struct {
	event    int    // index of toolEvents.events
	act      uint64 // tells acts of that kind apart
	attempts int    // events of it
}

func (d *decision) allowed() bool { return d.verdict == rationale.Allow.String() }

// executed reports whether the call can have acted.
func (d *decision) executed() bool {
	return d.allowed() && d.status != string(rationale.StatusNotExecuted)
}

// unknown reports whether nobody knows how the call ended.
func (d *decision) unknown() bool {
	return d.status == "" || d.status == string(rationale.StatusUnknown)
}

// end is when the call was over, as far as that is known.
func (d *decision) end() time.Time {
	if d.ended.After(d.at) {
		return d.ended
	}
	return d.at
}

func (d *decision) encode(b *rowOut) {
	b.str(d.id)
	b.time(d.at)
	for _, s := range []string{d.verdict, d.standing, d.class, d.effect, d.tool, d.approval, d.parent, d.authorization} {
		b.str(s)
	}
	b.num(uint64(d.agent))
	b.time(d.expires)
	b.time(d.lapses)
	b.num(uint64(len(d.arguments)))
	for _, values := range d.arguments {
		b.strs(values)
	}
	b.str(d.status)
	b.time(d.ended)
	b.strs(d.effects)
	b.str(d.place)
	b.flag(d.named)
	b.time(d.settled.at)
	for _, s := range []string{d.settled.status, d.settled.by, d.settled.place} {
		b.str(s)
	}
	b.flag(d.acted.now)
	b.flag(d.acted.before)
	b.num(uint64(len(d.used)))
	for _, u := range d.used {
		b.num(uint64(u.event))
		b.num(u.act)
		b.num(uint64(u.attempts))
	}
}

func (d *decision) decode(r *rowIn) {
	*d = decision{arguments: d.arguments[:0], used: d.used[:0]}
	d.id, d.at = r.str(), r.time()
	for _, s := range []*string{&d.verdict, &d.standing, &d.class, &d.effect, &d.tool, &d.approval, &d.parent, &d.authorization} {
		*s = r.str()
	}
	d.agent, d.expires, d.lapses = int(r.num()), r.time(), r.time()
	for n := r.num(); n > 0 && !r.bad; n-- {
		d.arguments = append(d.arguments, r.strs())
	}
	d.status, d.ended, d.effects, d.place = r.str(), r.time(), r.strs(), r.str()
	d.named = r.flag()
	d.settled = settlement{r.time(), r.str(), r.str(), r.str()}
	d.acted = shown{r.flag(), r.flag()}
	for n := r.num(); n > 0 && !r.bad; n-- {
		d.used = append(d.used, use{int(r.num()), r.num(), int(r.num())})
	}
}
