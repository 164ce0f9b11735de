package audit

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// refusalOf says what of an event a decision does not fit.
type refusalOf uint8

const (
	ofKind   refusalOf = iota // the event is none that the decision's call makes
	ofTime                    // it did not happen when the call ran
	ofExtent                  // it goes beyond what was decided
)

// refusal says why a decision does not explain an event.
type refusal struct {
	why string
	of  refusalOf
}

// strong judges an event that carries a key of a decision: nil if it explains
// the event.
func (d *Document) strong(e *event, c *decision) *refusal {
	tool := d.tool(c.tool, c.class)
	switch {
	case e.agent != c.agent:
		return &refusal{fmt.Sprintf("it acted as %s, and the decision is one of %s", d.agents[e.agent].id, d.agents[c.agent].id), ofKind}
	case tool == nil:
		return &refusal{fmt.Sprintf("the decision is one of the tool %s, of which the audit document names no events", c.tool), ofKind}
	}
	i := tool.event(e.action)
	switch {
	case i < 0:
		return &refusal{fmt.Sprintf("the tool %s does not make events %s", c.tool, e.action), ofKind}
	case e.at.Before(c.at.Add(-d.times.skew)):
		return &refusal{fmt.Sprintf("it happened %s before the decision", round(c.at.Sub(e.at))), ofTime}
	case e.at.After(c.end().Add(d.times.late)):
		return &refusal{fmt.Sprintf("it happened %s after the call had ended", round(e.at.Sub(c.end()))), ofTime}
	case !c.allowed():
		return &refusal{fmt.Sprintf("the verdict was %s", c.verdict), ofExtent}
	case !c.executed():
		return &refusal{"the record says that the call did not run", ofExtent}
	}
	if why := d.lapsed(e, c); why != "" {
		return &refusal{why, ofExtent}
	}
	if why := d.exceeds(e, c, &tool.events[i]); why != "" {
		return &refusal{why, ofExtent}
	}
	return c.take(e, tool, i)
}

// lapsed says why the authority behind a decision does not reach to an event.
func (d *Document) lapsed(e *event, c *decision) string {
	var standing rationale.Standing
	if standing.UnmarshalText([]byte(c.standing)) != nil || standing != rationale.StandingActive {
		if !standing.Recommendable() || c.approval == "" {
			return fmt.Sprintf("the authorization's standing was %s", c.standing)
		}
	}
	switch {
	case !c.expires.IsZero() && e.at.After(c.expires.Add(d.times.skew)):
		return fmt.Sprintf("the authorization had expired %s before", round(e.at.Sub(c.expires)))
	case !c.lapses.IsZero() && e.at.After(c.lapses.Add(d.times.skew)):
		return fmt.Sprintf("the approval had lapsed %s before", round(e.at.Sub(c.lapses)))
	}
	return ""
}

// exceeds says how an event goes beyond what was decided: each of its values must be
// within one of the argument's. What the record does not keep cannot be compared.
func (d *Document) exceeds(e *event, c *decision, of *toolEvent) string {
	for _, rules := range [][]comparison{of.match, of.compare} {
		for _, r := range rules {
			decided := c.arguments[r.argument]
			if len(decided) == 0 {
				continue
			}
			for _, v := range e.values[r.event] {
				switch {
				case slices.ContainsFunc(decided, func(a string) bool { return r.rule.holds(v, a) }):
				case v == moreValues:
					return fmt.Sprintf("%s has more than %d values: more than are compared", d.paths[r.event], maxValues)
				default:
					return fmt.Sprintf("%s is %q, and decided was %s %s (%s)", d.paths[r.event], v, d.arguments[r.argument], quoted(decided), r.rule)
				}
			}
		}
	}
	return ""
}

// lacks reports whether something that is compared is not in the event, or not in the record.
func (t *toolEvent) lacks(e *event, c *decision) bool {
	for _, rules := range [][]comparison{t.match, t.compare} {
		for _, r := range rules {
			if len(e.values[r.event]) == 0 || len(c.arguments[r.argument]) == 0 {
				return true
			}
		}
	}
	return false
}

// quoted is values for people, of many the first.
func quoted(values []string) string {
	const most = 5
	text := strings.Trim(fmt.Sprintf("%q", values[:min(len(values), most)]), "[]")
	if len(values) > most {
		text += fmt.Sprintf(" and %d more", len(values)-most)
	}
	return text
}

// holds compares an event's value with one of an argument's. Numbers compare as such.
func (r rule) holds(event, argument string) bool {
	if event == argument {
		return true
	}
	a, aNumber := number(event)
	b, bNumber := number(argument)
	if !aNumber || !bNumber {
		return false
	}
	switch c := a.Cmp(b); r {
	case atMost:
		return c <= 0
	case atLeast:
		return c >= 0
	default:
		return c == 0
	}
}

// number reads a decimal, exactly. What is too long to be a size is none.
func number(text string) (*big.Rat, bool) {
	if len(text) == 0 || len(text) > 40 || strings.Trim(text, "0123456789.-") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// take counts an event to a decision as one of its acts: one more attempt at an
// act that it explains already, or a new one where it makes that many.
func (d *decision) take(e *event, tool *toolEvents, i int) *refusal {
	act, of := e.act(&tool.events[i]), &tool.events[i]
	acts := 0
	for n := range d.used {
		u := &d.used[n]
		if u.event != i {
			continue
		}
		acts++
		if u.act != act {
			continue
		}
		if u.attempts >= of.attempts {
			return &refusal{fmt.Sprintf("it is more than the %d attempts at one act", of.attempts), ofExtent}
		}
		u.attempts++
		return nil
	}
	if acts >= of.fanOut {
		return &refusal{fmt.Sprintf("the decision explains another act already, and a call of %s makes %d %s", d.tool, of.fanOut, of.action), ofExtent}
	}
	d.used = append(d.used, use{i, act, 1})
	return nil
}

// act tells apart what events of one decision did: retries are alike.
func (e *event) act(of *toolEvent) uint64 {
	texts := [][]byte{[]byte(e.action), []byte(e.resource), binary.BigEndian.AppendUint64(nil, e.request)}
	for _, rules := range [][]comparison{of.match, of.compare} {
		for _, r := range rules {
			for _, v := range e.values[r.event] {
				texts = append(texts, []byte(v))
			}
		}
	}
	return hashOf(texts...)
}

// room returns how many more acts of a kind a decision can explain.
func (d *decision) room(tool *toolEvents, i int) int {
	n := tool.events[i].fanOut
	for _, u := range d.used {
		if u.event == i {
			n--
		}
	}
	return n
}

// claims calls f with each kind of event by which a decision could be joined
// weakly: the group that such an event is in.
func (d *Document) claims(c *decision, f func(tool *toolEvents, i int, group string)) {
	tool := d.tool(c.tool, c.class)
	if tool == nil || !c.executed() {
		return
	}
	for i := range tool.events {
		of := &tool.events[i]
		if len(of.match) == 0 || c.room(tool, i) <= 0 {
			continue
		}
		values := make([]string, 0, len(of.match))
		for _, m := range of.match {
			if decided := c.arguments[m.argument]; len(decided) == 1 {
				values = append(values, decided[0])
			}
		}
		if len(values) == len(of.match) {
			f(tool, i, groupOf(c.agent, of, values))
		}
	}
}

// groups returns the groups of decisions that an event could be joined with
// weakly, in the order of the document, each once.
func (d *Document) groups(e *event) []string {
	var groups []string
	for t := range d.tools {
		for i := range d.tools[t].events {
			of := &d.tools[t].events[i]
			if len(of.match) == 0 || !of.action.matches(e.action) {
				continue
			}
			values := make([]string, 0, len(of.match))
			for _, m := range of.match {
				if at := e.values[m.event]; len(at) == 1 {
					values = append(values, at[0])
				}
			}
			if group := groupOf(e.agent, of, values); len(values) == len(of.match) && !slices.Contains(groups, group) {
				groups = append(groups, group)
			}
		}
	}
	return groups
}

// groupOf names what an event and a decision must have in common: agent, action
// and the values that match.
func groupOf(agent int, of *toolEvent, values []string) string {
	var b rowOut
	b.num(uint64(agent))
	b.str(string(of.action))
	for i, m := range of.match {
		b.num(uint64(m.event))
		if i < len(values) {
			if n, ok := number(values[i]); ok {
				b.str(n.RatString())
			} else {
				b.str(values[i])
			}
		}
	}
	return string(b)
}

// round makes a length of time readable.
func round(d time.Duration) time.Duration {
	switch {
	case d > time.Hour:
		return d.Round(time.Minute)
	case d > time.Minute:
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}
