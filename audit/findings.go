package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// findings collects what an audit finds, in the order of time.
type findings struct {
	doc      *Document
	files    fileNames
	wanted   func(Kind) bool // kinds that are given out; the others are only counted
	since    time.Time
	until    time.Time
	before   time.Time // until when an earlier run judged
	rows     *sorter
	row      rowOut
	coverage Coverage
	timeline *Timeline
	results  *results
	nearest  bool // there are unexplained events
}

// judged reports whether what happened then is looked at by this run.
func (f *findings) judged(at time.Time) bool {
	return (f.since.IsZero() || !at.Before(f.since)) && (f.until.IsZero() || at.Before(f.until))
}

// told counts an event that has no finding.
func (f *findings) told(at time.Time, seen bool, count func(*Coverage)) {
	switch {
	case seen:
		f.coverage.Before++
	case f.judged(at):
		count(&f.coverage)
	default:
		f.coverage.Outside++
	}
}

// counted counts a finding of an event that is not given out, or was by an
// earlier run, and reports whether that is all.
func (f *findings) counted(k Kind, e *event, authorization string) bool {
	if f.wanted(k) && !e.seen {
		return false
	}
	if e.seen {
		f.coverage.Before++
	} else {
		f.ofAct(k, e.at, f.doc.agents[e.agent].id, e.action, authorization)
	}
	return true
}

// ofAct counts a finding of an event.
func (f *findings) ofAct(k Kind, at time.Time, agent, action, authorization string) {
	if !f.judged(at) {
		f.coverage.Outside++
		return
	}
	f.count(k, at)
	f.coverage.Mutating++
	if k == UnknownResolved {
		f.coverage.resolvedEvents++
	}
	f.results.add(k, agent, action, authorization)
}

func (f *findings) count(k Kind, at time.Time) {
	f.coverage.Findings[k]++
	f.timeline.add(at, k)
}

func (f *findings) add(found *Finding) error {
	switch {
	case found.Event != "":
		f.ofAct(found.Kind, found.At, found.Agent, found.Action, found.Authorization)
	case f.judged(found.At):
		f.count(found.Kind, found.At)
	}
	if !f.judged(found.At) || !f.wanted(found.Kind) {
		return nil
	}
	f.nearest = f.nearest || found.Kind == Unexplained
	f.row.reset()
	found.encode(&f.row)
	return f.rows.add(timeKey(found.At), f.row)
}

func (f *findings) ofEvent(k Kind, e *event) *Finding {
	return &Finding{
		Kind: k, Event: e.id, At: e.at, Agent: f.doc.agents[e.agent].id, Principal: e.principal, Action: e.action, Resource: e.resource,
		Log: f.doc.logs[e.log].name, Place: fmt.Sprintf("%s: byte %d", f.files[e.file], e.offset),
	}
}

// keyOf returns where in an event one of its keys stands.
func (f *findings) keyOf(p *pending, i int) string {
	return f.doc.logs[p.event.log].keys[p.event.keys[i].path]
}

func (f *Finding) of(d *decision) *Finding {
	f.Decision, f.Class, f.Authorization, f.Tool, f.Record = d.id, d.class, d.authorization, d.tool, d.place
	return f
}

func (f *findings) explained(p *pending, d *decision, c candidate) error {
	kind := Explained
	switch {
	case d.unknown():
		kind = UnknownResolved
	case c.shared:
		kind = ExplainedWeakly
	}
	f.compared(&p.event, d)
	if f.counted(kind, &p.event, d.authorization) {
		return nil
	}
	found := f.ofEvent(kind, &p.event).of(d)
	found.Key = f.keyOf(p, c.key)
	switch {
	case c.shared:
		found.Why = fmt.Sprintf("%s of the event is an id that the outcomes of several decisions have; this decision of %s is the last before it", found.Key, d.tool)
	case c.effect:
		found.Why = fmt.Sprintf("%s of the event is the id that the call of %s returned", found.Key, d.tool)
	default:
		found.Why = fmt.Sprintf("%s of the event carries the id of the decision, which allowed %s", found.Key, d.tool)
	}
	return f.add(found.resolved())
}

// compared counts an act that is explained without all that the document compares.
func (f *findings) compared(e *event, d *decision) {
	tool := f.doc.tool(d.tool, d.class)
	if !e.seen && f.judged(e.at) && tool.events[tool.event(e.action)].lacks(e, d) {
		f.coverage.Uncompared++
	}
}

// resolved adds what the event of a call says whose end nobody knew.
func (f *Finding) resolved() *Finding {
	if f.Kind == UnknownResolved {
		f.Why += "; how the call ended was not known, and the log shows that it acted"
	}
	return f
}

// failed is an event that carries a key and changed nothing.
func (f *findings) failed(p *pending) error {
	f.told(p.event.at, p.event.seen, func(c *Coverage) { c.Failed++ })
	return nil
}

func (f *findings) explainedWeakly(e *event, d *decision) error {
	kind := ExplainedWeakly
	if d.unknown() {
		kind = UnknownResolved
	}
	f.compared(e, d)
	if f.counted(kind, e, d.authorization) {
		return nil
	}
	found := f.ofEvent(kind, e).of(d)
	found.Why = fmt.Sprintf("no key names a decision; agent, action, resource and time fit this one of %s, which explains nothing else", d.tool)
	return f.add(found.resolved())
}

// refused is an event with a decision that does not cover it.
func (f *findings) refused(p *pending) error {
	if f.counted(Unauthorized, &p.event, p.authorization) {
		return nil
	}
	found := f.ofEvent(Unauthorized, &p.event)
	found.Decision, found.Record, found.Tool, found.Class, found.Authorization = p.refused, p.place, p.tool, p.class, p.authorization
	if p.key >= 0 && p.key < len(p.event.keys) {
		found.Key = f.keyOf(p, p.key)
		found.Why = fmt.Sprintf("%s of the event names a decision that does not cover it: %s", found.Key, p.why)
	} else {
		found.Why = "the one decision that it could come from does not cover it: " + p.why
	}
	return f.add(found)
}

func (f *findings) unexplained(e *event) error {
	if f.counted(Unexplained, e, "") {
		return nil
	}
	found := f.ofEvent(Unexplained, e)
	found.Why = fmt.Sprintf("%s did %s, and no record explains it", e.principal, e.action)
	return f.add(found)
}

// silence judges a decision that no event was joined with.
func (f *findings) silence(d *decision, logs *logTimes) error {
	tool := f.doc.tool(d.tool, d.class)
	switch {
	case d.effect == "read" || !d.executed():
		return nil
	case tool == nil:
		if f.judged(d.at) {
			f.coverage.Unmapped++
		}
		return nil
	case len(d.used) > 0 || d.named || d.status != "success" && !d.unknown():
		return nil
	case !f.before.IsZero() && !f.before.Before(d.end().Add(logs.delay)):
		return nil // an earlier run judged it
	}
	found := (&Finding{At: d.at, Agent: f.doc.agents[d.agent].id}).of(d)
	gap := logs.gap(d.at.Add(-f.doc.times.skew), d.end().Add(f.doc.times.window))
	switch {
	case f.until.Before(d.end().Add(logs.delay)):
		found.Kind = TooEarly
		found.Why = fmt.Sprintf("no event of it yet; logs may take %s, until %s", logs.delay, d.end().Add(logs.delay).Format(time.RFC3339))
	case gap != "":
		found.Kind = LogGap
		found.Why = "no event of it, and " + gap
	case d.unknown() && d.settled.status == string(rationale.StatusSuccess):
		found.Kind = Orphan
		found.Why = fmt.Sprintf("%s settled the call of %s as one that came out well (%s), and no log has an event of it", d.settled.by, d.tool, d.settled.place)
	case d.unknown():
		found.Kind = UnknownResolved
		found.Why = "how the call ended was not known; the log, which is whole for that time, has no event of it: it did not act"
	default:
		if found.Kind = Orphan; f.judged(found.At) {
			f.results.orphans[found.Agent]++
		}
		found.Why = fmt.Sprintf("the call of %s reported success, and no log has an event of it", d.tool)
	}
	return f.add(found)
}

// settled judges what a person said of a call: that it did not run, which freed what
// it held of its limits. The events are what an earlier run had, or the settlement is.
func (f *findings) settled(d *decision) error {
	s := d.settled
	switch {
	case s.status != string(rationale.StatusNotExecuted) || d.acted == shown{}:
		return nil
	case d.acted.before && s.at.Before(f.before):
		return nil // an earlier run judged it
	}
	found := (&Finding{Kind: Missettled, At: s.at, Agent: f.doc.agents[d.agent].id}).of(d)
	found.Why = fmt.Sprintf("%s settled the call of %s as one that did not run (%s), which freed what it held of its limits, and the log shows that it acted", s.by, d.tool, s.place)
	if f.judged(found.At) {
		f.results.add(Missettled, found.Agent, "", d.authorization)
	}
	return f.add(found)
}

// each gives out the findings in the order of time.
func (f *findings) each(complete func(*Finding), yield func(Finding) error) error {
	return f.rows.each(func(_, row []byte) error {
		var found Finding
		r := readRow(row)
		found.decode(&r)
		if err := r.err(); err != nil {
			return err
		}
		if found.Kind == Unexplained {
			complete(&found)
		}
		return yield(found)
	})
}

// nearby goes through the decisions in the order of time, beside the findings.
type nearby struct {
	doc    *Document
	slack  time.Duration
	rows   *peeked
	recent []decision
}

const (
	keptNearby  = 64 // decisions that are looked at for one event
	shownNearby = 3
)

// of returns the decisions nearest to an event, of the agent; those whose tool
// makes such events come first.
func (n *nearby) of(found *Finding) ([]Nearest, error) {
	for !n.rows.ended {
		var d decision
		r := readRow(n.rows.row)
		d.decode(&r)
		if r.bad {
			return nil, errRow
		}
		if d.at.After(found.At.Add(n.slack)) {
			break
		}
		if n.recent = append(n.recent, d); len(n.recent) > keptNearby {
			n.recent = slices.Delete(n.recent, 0, 1)
		}
		if err := n.rows.advance(); err != nil {
			return nil, err
		}
	}
	type ranked struct {
		d    *decision
		does bool
		away time.Duration
	}
	var list []ranked
	for i := range n.recent {
		d := &n.recent[i]
		away := found.At.Sub(d.at).Abs()
		if n.doc.agents[d.agent].id != found.Agent || away > n.doc.times.late {
			continue
		}
		tool := n.doc.tool(d.tool, d.class)
		list = append(list, ranked{d, tool != nil && tool.event(found.Action) >= 0, away})
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		switch {
		case a.does != b.does && a.does:
			return -1
		case a.does != b.does:
			return 1
		}
		return int(min(max(a.away-b.away, -1), 1))
	})
	var near []Nearest
	for _, r := range list[:min(len(list), shownNearby)] {
		near = append(near, Nearest{Decision: r.d.id, At: r.d.at, Tool: r.d.tool, Verdict: r.d.verdict, Why: n.why(r.d, r.does, found.At)})
	}
	return near, nil
}

func (n *nearby) why(d *decision, does bool, at time.Time) string {
	times := n.doc.times
	switch {
	case !does:
		return fmt.Sprintf("the document names no such event of %s", d.tool)
	case !d.allowed():
		return "its verdict was " + d.verdict
	case !d.executed():
		return "its record says that the call did not run"
	case len(d.used) > 0:
		return "it explains another event"
	case at.Before(d.at.Add(-times.skew)):
		return fmt.Sprintf("it was taken %s later", round(d.at.Sub(at)))
	case at.After(d.end().Add(times.window + times.skew)):
		return fmt.Sprintf("its call had ended %s before", round(at.Sub(d.end())))
	}
	return "nothing that the event says names it, or fits its arguments"
}
