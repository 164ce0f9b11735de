package simulate

import (
	"fmt"
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// String says what was tried, and what came of it.
func (e *event) String() string {
	text := fmt.Sprintf("step %d: %s", e.step, e.asked())
	switch {
	case e.end == 0:
		return text + ": no answer"
	case e.err != nil:
		return text + ": " + e.err.Error()
	case e.d != nil:
		return text + ": " + e.verdict()
	}
	return text + ": recorded"
}

func (e *event) asked() string {
	switch {
	case e.draft != nil:
		d := e.draft
		text := fmt.Sprintf("%s %s by %s in %s", e.do, short(d.ID), d.Agent.ID, d.Class)
		if d.Spend != nil {
			text += " for " + d.Spend.Amount
		}
		if d.Parent != "" {
			text += " with ticket " + short(d.Parent)
		}
		return text + " at " + d.At.Format("2 15:04:05.000")
	case e.o != nil:
		return fmt.Sprintf("outcome of %s: %s %s at %s", short(e.o.Decision), e.o.Status, e.o.Spent, e.o.At.Format("2 15:04:05.000"))
	case e.a != nil:
		return fmt.Sprintf("%s answers %s to %s", e.a.By.ID, e.a.Answer, short(e.a.Ticket))
	case e.r != nil:
		return fmt.Sprintf("%s reviews %s", e.r.By.ID, short(e.r.Decision))
	case e.s != nil:
		return fmt.Sprintf("%s is settled: %s %s", short(e.s.Decision), e.s.Status, e.s.Spent)
	case e.gap != nil:
		return fmt.Sprintf("%d calls were denied without a record", e.gap.Denied)
	case e.do == suspend || e.do == resume:
		return fmt.Sprintf("%s %s", e.do, e.what)
	}
	return string(e.do)
}

func (e *event) verdict() string {
	text := e.d.Verdict.String()
	if !e.d.CountedAt.IsZero() {
		text += " at " + e.d.CountedAt.Format("2 15:04:05.000")
	}
	for _, c := range e.d.Checks {
		if c.Result != rationale.Passed {
			text += fmt.Sprintf("; %s: %s", c.ID, c.Message)
		}
	}
	return text
}

// String lists what happened.
func (t *trace) String() string { return strings.Join(t.log, "\n") }
