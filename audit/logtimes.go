package audit

import (
	"fmt"
	"slices"
	"time"
)

// LogReport says what was read of one log.
type LogReport struct {
	Name   string
	Files  int
	Events int // read, duplicates included
	First  time.Time
	Last   time.Time
	Gaps   []Gap
}

// Gap is a time of which a log has, or may have, lost events.
type Gap struct {
	From, To time.Time // zero: open on that side
	Why      string
}

// logTimes is what the logs together say of when they can be relied on.
type logTimes struct {
	delay time.Duration // the longest
	logs  []LogReport
}

// gap says why the logs may lack an event of that time; empty: they do not.
func (l *logTimes) gap(from, to time.Time) string {
	var first, last time.Time
	for i := range l.logs {
		log := &l.logs[i]
		for _, g := range log.Gaps {
			if (g.From.IsZero() || !to.Before(g.From)) && (g.To.IsZero() || !from.After(g.To)) {
				return fmt.Sprintf("the log %s has a gap there: %s", log.Name, g.Why)
			}
		}
		if log.Events > 0 && (first.IsZero() || log.First.Before(first)) {
			first = log.First
		}
		if log.Last.After(last) {
			last = log.Last
		}
	}
	switch {
	case first.IsZero():
		return "the logs have no events at all"
	case to.Before(first):
		return "the logs only begin at " + first.Format(time.RFC3339)
	case from.After(last):
		return "the logs end at " + last.Format(time.RFC3339)
	}
	return ""
}

// logTracker follows the reading of one log.
type logTracker struct {
	report  LogReport
	delay   time.Duration
	silence time.Duration
	parts   map[int64]struct{} // of silence, in which there are events
	file    string
	last    time.Time // the event read last in that file
	open    string    // what could not be read, before the next event
	since   time.Time
}

// partsOfSilence is how finely a silence is measured.
const partsOfSilence = 8

func newLogTracker(l *log) *logTracker {
	t := &logTracker{report: LogReport{Name: l.name}, delay: l.delay, silence: l.silence}
	if l.silence > 0 {
		t.parts = make(map[int64]struct{})
	}
	return t
}

func (t *logTracker) event(file string, at time.Time) {
	t.enter(file)
	r := &t.report
	r.Events++
	if r.First.IsZero() || at.Before(r.First) {
		r.First = at
	}
	if at.After(r.Last) {
		r.Last = at
	}
	if t.open != "" {
		t.close(at)
	}
	t.last = at
	if t.parts != nil {
		t.parts[at.UnixNano()/int64(t.silence/partsOfSilence)] = struct{}{}
	}
}

// enter goes on to another file. Nothing says of what time that is which a file
// lost at its end, or that of which nothing could be read.
func (t *logTracker) enter(file string) {
	if file == t.file {
		return
	}
	if t.open != "" {
		t.close(time.Time{})
	}
	t.file, t.last = file, time.Time{}
}

// broken says that something could not be read: from the event before it to the
// one after it, events may be missing, and as far around as they are delivered
// out of order.
func (t *logTracker) broken(file, why string) {
	t.enter(file)
	if t.open == "" {
		t.open, t.since = why, t.last
	}
}

func (t *logTracker) close(next time.Time) {
	g := Gap{From: t.since, To: next, Why: t.open}
	if !g.To.IsZero() && g.From.After(g.To) {
		g.From, g.To = g.To, g.From
	}
	if !g.From.IsZero() {
		g.From = g.From.Add(-t.delay)
	}
	if !g.To.IsZero() {
		g.To = g.To.Add(t.delay)
	}
	t.open = ""
	if n := len(t.report.Gaps); n == maxGaps { // the rest is one
		t.report.Gaps[n-1] = Gap{Why: "too much of it could not be read"}
		return
	}
	t.report.Gaps = append(t.report.Gaps, g)
}

// end returns what was found. The time that is judged goes from since, if that is not
// zero, until a time.
func (t *logTracker) end(since, until time.Time) LogReport {
	if t.open != "" {
		t.close(time.Time{})
	}
	if t.silence > 0 {
		t.silences(since, until)
	}
	return t.report
}

// silences finds the times in which the log said nothing for too long. That it may
// still be delivered is no silence.
func (t *logTracker) silences(since, until time.Time) {
	r := &t.report
	switch {
	case r.Events == 0:
		t.silent(time.Time{}, time.Time{}, "it says nothing at all")
	case !since.IsZero() && r.First.Sub(since) > t.silence:
		t.silent(time.Time{}, r.First, "it says nothing before "+r.First.Format(time.RFC3339))
	}
	if r.Events > 0 && until.Sub(r.Last) > t.silence+t.delay {
		t.silent(r.Last, time.Time{}, "it says nothing after "+r.Last.Format(time.RFC3339))
	}
	parts := make([]int64, 0, len(t.parts))
	for n := range t.parts {
		parts = append(parts, n)
	}
	slices.Sort(parts)
	width := t.silence / partsOfSilence
	for i := 1; i < len(parts); i++ {
		if quiet := time.Duration(parts[i]-parts[i-1]) * width; quiet > t.silence {
			from, to := time.Unix(0, parts[i-1]*int64(width)).UTC(), time.Unix(0, (parts[i]+1)*int64(width)).UTC()
			t.silent(from, to, fmt.Sprintf("it says nothing for more than %s, from %s to %s", t.silence, from.Format(time.RFC3339), to.Format(time.RFC3339)))
		}
	}
	t.parts = nil
}

func (t *logTracker) silent(from, to time.Time, why string) {
	t.report.Gaps = append(t.report.Gaps, Gap{from, to, why})
}
