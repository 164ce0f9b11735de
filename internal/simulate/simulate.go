// Package simulate makes histories of a ledger, one after another from a seed, and
// checks each.
//
// In a history, agents, people and settlements meet one ledger: on files, whose disk
// fails and whose process or machine ends at any call of the file system, or on a
// model of a log that several replicas share, whose network loses, delays and
// repeats. The ledger is the real one; all else is under the history's control: the
// clocks, the disk, the network, and which goroutine goes on. So a history can be
// made again, and a plan from which steps are left out is a history too.
//
// What comes of it is judged by what could be seen from outside, with a model that
// shares nothing with the ledger: it has a list of everything, and adds up.
package simulate

import (
	"errors"

	"github.com/ambit-go/ambit/rationale"
)

// Counts are what happened in histories.
type Counts struct {
	Histories, Calls, Admitted, Refused, Pending, Failed, Uncertain int
	Used, Answers, Outcomes, Settlements, Reviews, Suspensions      int
	Processes, PowerLosses, Troubles, Records                       int
}

// Row is one of the counts.
type Row struct {
	Number int
	What   string
}

// Rows returns the counts in the order in which they are read.
func (c *Counts) Rows() []Row {
	rows := make([]Row, 0, 20)
	for _, f := range c.fields() {
		rows = append(rows, Row{*f.number, f.what})
	}
	return rows
}

type field struct {
	number *int
	what   string
}

func (c *Counts) fields() []field {
	return []field{
		{&c.Histories, "histories"},
		{&c.Calls, "calls"},
		{&c.Admitted, "admitted"},
		{&c.Used, "of these with an approval"},
		{&c.Refused, "refused"},
		{&c.Pending, "pending: tickets"},
		{&c.Failed, "failed"},
		{&c.Uncertain, "of which nobody knew whether they are recorded"},
		{&c.Outcomes, "outcomes"},
		{&c.Answers, "answers to tickets"},
		{&c.Settlements, "settlements"},
		{&c.Reviews, "reviews"},
		{&c.Suspensions, "suspensions"},
		{&c.Processes, "processes, most of them killed"},
		{&c.PowerLosses, "power losses"},
		{&c.Troubles, "disks and networks that failed"},
		{&c.Records, "records"},
	}
}

func (c *Counts) add(o Counts) {
	others := o.fields()
	for i, f := range c.fields() {
		*f.number += *others[i].number
	}
}

// Run makes the history of a plan and checks it. The error is a *[Violation], or
// says why the history could not be made.
func Run(p *Plan) (Counts, error) {
	_, counts, err := run(p)
	return counts, err
}

func run(p *Plan) (*trace, Counts, error) {
	h := newHistory(p)
	err := h.run()
	if err == nil {
		err = check(p, &h.trace)
	}
	return &h.trace, h.trace.counts(), err
}

func (t *trace) counts() Counts {
	n := Counts{Histories: 1, Processes: len(t.lives), Troubles: len(t.troubles), Records: len(t.records)}
	for _, l := range t.lives {
		if l.power {
			n.PowerLosses++
		}
	}
	for _, e := range t.events {
		if errors.Is(e.err, errUncertain) {
			n.Uncertain++
		}
		done := e.end > 0 && e.err == nil
		switch {
		case e.draft != nil:
			n.Calls++
			switch {
			case e.err != nil:
				n.Failed++
			case e.end == 0:
			case e.d.Verdict == rationale.Allow:
				n.Admitted++
				if e.d.Approval != "" {
					n.Used++
				}
			case e.d.Verdict == rationale.Pend:
				n.Pending++
			default:
				n.Refused++
			}
		case !done:
		case e.o != nil:
			n.Outcomes++
		case e.a != nil:
			n.Answers++
		case e.r != nil:
			n.Reviews++
		case e.s != nil:
			n.Settlements++
		case e.do == suspend:
			n.Suspensions++
		}
	}
	return n
}

// Keep returns the plan with those of its steps alone that have these places.
func (p *Plan) Keep(places []int) *Plan {
	kept := *p
	kept.Steps = nil
	for _, n := range places {
		if n >= 0 && n < len(p.Steps) {
			kept.Steps = append(kept.Steps, p.Steps[n])
		}
	}
	return &kept
}

// Shrink returns the shortest plan it finds that breaks the same rule: it leaves out
// steps as long as the rule is still broken, larger parts first, and lets nobody go
// on where that is not needed.
func Shrink(p *Plan) *Plan {
	_, rule := brokenBy(p)
	if rule == "" {
		return p
	}
	breaks := func(q *Plan) bool {
		_, other := brokenBy(q)
		return other == rule
	}
	for part := len(p.Steps) / 2; part > 0; {
		removed := false
		for from := 0; from < len(p.Steps); {
			q := *p
			q.Steps = append(append([]Step(nil), p.Steps[:from]...), p.Steps[min(from+part, len(p.Steps)):]...)
			if breaks(&q) {
				p, removed = &q, true
			} else {
				from += part
			}
		}
		if !removed {
			part /= 2
		}
	}
	return p
}

// brokenBy returns what a plan's history breaks; an empty rule: nothing.
func brokenBy(p *Plan) (*trace, string) {
	t, _, err := run(p)
	v, ok := errors.AsType[*Violation](err)
	switch {
	case err == nil:
		return t, ""
	case ok:
		return t, v.Rule
	}
	return t, err.Error()
}

// Tell returns what happens in the history of a plan, one event a line, and what it
// breaks.
func Tell(p *Plan) (story string, err error) {
	t, _, err := run(p)
	return t.String(), err
}
