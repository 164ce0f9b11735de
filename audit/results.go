package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// results are what was found of each authorization.
type results struct {
	doc *Document
	of  map[string]*tally // by the authorization's id
	// Acts of agents of which no authorization is in the records, and whose they
	// were first.
	nobodys int
	first   string
	orphans map[string]int // by agent
}

// tally is what was found of one authorization.
type tally struct {
	rationale.Audit
	agents map[string]bool      // that it is granted to
	tools  map[*toolEvents]bool // that were decided by it
}

func newResults(doc *Document) *results {
	return &results{doc: doc, of: map[string]*tally{}, orphans: map[string]int{}}
}

// known takes in that the records have an authorization.
func (r *results) known(authorization, agent string) *tally {
	if authorization == "" {
		return nil
	}
	of := r.of[authorization]
	if of == nil {
		of = &tally{Audit: rationale.Audit{Authorization: authorization}, agents: map[string]bool{}, tools: map[*toolEvents]bool{}}
		r.of[authorization] = of
	}
	of.agents[agent] = true
	return of
}

// decided takes in that an authorization decided a call.
func (r *results) decided(authorization, agent, tool, class string) {
	of := r.known(authorization, agent)
	if events := r.doc.tool(tool, class); of != nil && events != nil {
		of.tools[events] = true
	}
}

// add counts what was found of an act to the authorization of its decision. An act
// that has none counts to every one that it may have been done past.
func (r *results) add(k Kind, agent, action, authorization string) {
	blamed := []*tally{r.of[authorization]}
	if blamed[0] == nil || !blamed[0].agents[agent] {
		blamed = r.past(agent, action)
	}
	if len(blamed) == 0 {
		if r.nobodys++; r.nobodys == 1 {
			r.first = agent
		}
	}
	for _, of := range blamed {
		of.Judged++
		switch k {
		case Unexplained:
			of.Unexplained++
		case Unauthorized, Missettled: // what the record says of the call does not cover it
			of.Unauthorized++
		}
	}
}

// past returns an agent's authorizations that decided calls of a tool which makes
// such events; where there is none, all that the agent has.
func (r *results) past(agent, action string) []*tally {
	var all, fitting []*tally
	for _, of := range r.of {
		if !of.agents[agent] {
			continue
		}
		all = append(all, of)
		for tool := range of.tools {
			if tool.event(action) >= 0 {
				fitting = append(fitting, of)
				break
			}
		}
	}
	if len(fitting) > 0 {
		return fitting
	}
	return all
}

// Results returns what this run found of each authorization that the records
// have, by id, and the time that it covers, for the record of an audit
// (rationale.Lifecycle.Audit). An act that is unexplained counts to each
// authorization of the agent under which the tools that make such events were
// decided; where there is none, to every one of the agent.
//
// The error says why this run is no audit: an event log could not be read, has no
// events at all or a gap in the time that is covered, no event names an agent whose calls
// reported success, the state is one of runs that were not recorded, or there is
// nothing to count an act to. Gaps in the records are no reason: what they had
// explained is unexplained.
func (r *Report) Results() (results []rationale.Audit, from, until time.Time, err error) {
	if r.results == nil {
		return nil, from, until, errors.New("it is the report of no run")
	}
	from, until = r.covers()
	switch {
	case len(r.Problems) > 0:
		err = fmt.Errorf("%s could not be read, so nobody knows what it holds", r.Problems[0].File)
	case !r.before.Recorded && !r.before.Until.IsZero():
		err = fmt.Errorf("what was found until %s by runs before this one is not recorded: remove %s to judge all of it again", r.before.Until.Format(time.RFC3339), r.statePath)
	case r.results.nobodys > 0:
		err = fmt.Errorf("%d acts of agent %s, or of others, count to no authorization: the records have none of the agent", r.results.nobodys, rationale.Printable(r.results.first))
	case len(r.results.of) == 0:
		err = errors.New("the records have no authorization of the agents: do they lie where the document's records say?")
	}
	for _, agent := range r.Absent {
		if n := r.results.orphans[agent]; err == nil && n > 0 {
			err = fmt.Errorf("%d calls of agent %s reported success, and no event of any log names it: are its principals those of the document?", n, rationale.Printable(agent))
		}
	}
	for _, l := range r.Logs {
		if err != nil {
			return nil, from, until, err
		}
		if l.Events == 0 {
			err = fmt.Errorf("the log %s has no events at all, of anybody: does it lie where the document says?", l.Name)
		}
		for _, g := range l.Gaps {
			if (g.From.IsZero() || g.From.Before(until)) && (g.To.IsZero() || g.To.After(from)) {
				err = fmt.Errorf("the log %s has a gap in that time: %s", l.Name, g.Why)
			}
		}
	}
	if err != nil {
		return nil, from, until, err
	}
	for _, id := range slices.Sorted(maps.Keys(r.results.of)) {
		results = append(results, r.results.of[id].Audit)
	}
	return results, from, until, nil
}

// covers returns the time that a run judged: from where the one before it ended,
// or from where it was told to begin, else from the first that it has seen.
func (r *Report) covers() (from, until time.Time) {
	from = r.Since
	if r.before.Until.After(from) {
		from = r.before.Until
	}
	if !from.IsZero() {
		return from, r.Until
	}
	from = r.Records.First
	for _, l := range r.Logs {
		if l.Events > 0 && l.First.Before(from) {
			from = l.First
		}
	}
	return from, r.Until
}
