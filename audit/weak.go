package audit

import (
	"bytes"
	"cmp"
	"slices"
	"time"
)

// maxGroups is how many groups of events a groupFilter tells apart.
const maxGroups = 1 << 18

// groupFilter remembers in which groups there are events, so that the decisions
// of others need not be looked at. Beyond maxGroups it lets all through.
type groupFilter map[uint64]struct{}

func (g groupFilter) add(group string) {
	if len(g) <= maxGroups {
		g[hashOf([]byte(group))] = struct{}{}
	}
}

func (g groupFilter) has(group string) bool {
	_, ok := g[hashOf([]byte(group))]
	return ok || len(g) > maxGroups
}

// Of one instant, decisions come before events.
const (
	rowClaim = 0
	rowEvent = 1
)

func groupKey(group string, at time.Time, kind byte) []byte {
	var key rowOut
	key.str(group)
	key.time(at)
	return append(key, kind)
}

// group hands an event to the first group that it has not been in, or gives it
// up as unexplained.
func (j *joiner) group(p *pending) error {
	groups := j.doc.groups(&p.event)
	if p.tried >= len(groups) {
		return j.found.unexplained(&p.event)
	}
	group := groups[p.tried]
	p.tried++
	into := j.left
	if p.event.seen {
		into = j.before
	}
	into.groups.add(group)
	return j.put(into.events, groupKey(group, p.event.at, rowEvent), p)
}

// weak joins what is left by agent, action, arguments and time: first what an
// earlier run joined, since a decision that explained an act then is no longer
// there for one that was delivered late.
func (j *joiner) weak() error {
	for _, left := range []*leftover{j.before, j.left} {
		for left.events.n > 0 {
			round := *left
			*left = *newLeftover(j.disk)
			if err := j.weakRound(round); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *joiner) weakRound(left leftover) error {
	if err := j.decisions.each(func(d *decision) error { return j.claim(left, d) }); err != nil {
		return err
	}
	s := sweep{j: j, taken: newSorter(j.disk)}
	if err := left.events.each(s.row); err != nil {
		return err
	}
	if err := s.endGroup(); err != nil {
		return err
	}
	return j.keep(s.taken)
}

// claim adds a decision to the groups of events that it could explain.
func (j *joiner) claim(left leftover, d *decision) error {
	var failed error
	j.doc.claims(d, func(_ *toolEvents, i int, group string) {
		if failed != nil || !left.groups.has(group) {
			return
		}
		j.row.reset()
		j.row.num(uint64(i))
		d.encode(&j.row)
		failed = left.events.add(groupKey(group, d.at.Add(-j.doc.times.skew), rowClaim), j.row)
	})
	if failed == nil {
		failed = j.ctx.Err()
	}
	return failed
}

// keep writes what weak joins took to the decisions.
func (j *joiner) keep(taken *sorter) error {
	if taken.n == 0 {
		return nil
	}
	next, done, err := taken.cursor()
	if err != nil {
		return err
	}
	defer done()
	rows := &peeked{next: next}
	if err := rows.advance(); err != nil {
		return err
	}
	return j.decisions.update(func(d *decision) (changed bool, err error) {
		for !rows.ended && string(rows.key) == d.id {
			r := readRow(rows.row)
			d.used = append(d.used, use{int(r.num()), r.num(), 1})
			d.acted.now, d.acted.before = r.flag() || d.acted.now, r.flag() || d.acted.before
			if changed = true; r.bad {
				return false, errRow
			}
			if err := rows.advance(); err != nil {
				return false, err
			}
		}
		return changed, nil
	})
}

// sweep goes through one group after the other in the order of time. To each
// event it gives, of the decisions whose time it is, the one whose time ends
// first: no other choice explains more events.
type sweep struct {
	j     *joiner
	taken *sorter // acts by decision
	group []byte
	open  []*claimed // by end
}

// claimed is a decision that can still explain events of a group.
type claimed struct {
	decision
	tool *toolEvents
	i    int
	end  time.Time
	room int
	held []pending // events that go beyond what it decided, while no other explains them
}

func (s *sweep) row(key, row []byte) error {
	end := len(key) - 9 // time and kind
	if !bytes.Equal(key[:end], s.group) {
		if err := s.endGroup(); err != nil {
			return err
		}
		s.group = append(s.group[:0], key[:end]...)
	}
	if key[len(key)-1] == rowEvent {
		var p pending
		if err := p.decode(row); err != nil {
			return err
		}
		return s.event(&p)
	}
	r := readRow(row)
	c := &claimed{i: int(r.num())}
	c.decode(&r)
	if r.bad {
		return errRow
	}
	doc := s.j.doc
	c.tool = doc.tool(c.decision.tool, c.class)
	c.room = c.decision.room(c.tool, c.i)
	c.end = c.decision.end().Add(doc.times.window + doc.times.skew)
	if c.unknown() {
		c.end = c.end.Add(doc.times.window) // nobody knows how long it took
	}
	at, _ := slices.BinarySearchFunc(s.open, c, func(a, b *claimed) int {
		return cmp.Or(a.end.Compare(b.end), cmp.Compare(a.id, b.id))
	})
	s.open = slices.Insert(s.open, at, c)
	return nil
}

func (s *sweep) event(p *pending) error {
	for len(s.open) > 0 && s.open[0].end.Before(p.event.at) {
		if err := s.close(0); err != nil {
			return err
		}
	}
	doc := s.j.doc
	for n, c := range s.open {
		if doc.exceeds(&p.event, &c.decision, &c.tool.events[c.i]) != "" || doc.lapsed(&p.event, &c.decision) != "" {
			continue
		}
		var acted shown
		acted.by(&p.event)
		if err := s.take(c, &p.event, acted); err != nil {
			return err
		}
		if err := s.j.found.explainedWeakly(&p.event, &c.decision); err != nil || c.room > 0 {
			return err
		}
		return s.close(n)
	}
	for _, c := range s.open {
		if len(c.held) < c.room {
			c.held = append(c.held, *p)
			return nil
		}
	}
	return s.j.group(p)
}

// take counts an event to a decision, and whether it shows that the call acted.
func (s *sweep) take(c *claimed, e *event, acted shown) error {
	c.room--
	var row rowOut
	row.num(uint64(c.i))
	row.num(e.act(&c.tool.events[c.i]))
	row.flag(acted.now)
	row.flag(acted.before)
	return s.taken.add([]byte(c.id), row)
}

// close ends the time of a decision: what it held goes beyond it, as far as it
// explains nothing else.
func (s *sweep) close(n int) error {
	c := s.open[n]
	s.open = slices.Delete(s.open, n, n+1)
	for i := range c.held {
		p := &c.held[i]
		if c.room <= 0 {
			if err := s.j.group(p); err != nil {
				return err
			}
			continue
		}
		if err := s.take(c, &p.event, shown{}); err != nil {
			return err
		}
		doc := s.j.doc
		why := doc.exceeds(&p.event, &c.decision, &c.tool.events[c.i])
		if why == "" {
			why = doc.lapsed(&p.event, &c.decision)
		}
		p.refuse(&c.decision, why, -1)
		if err := s.j.found.refused(p); err != nil {
			return err
		}
	}
	return nil
}

func (s *sweep) endGroup() error {
	for len(s.open) > 0 {
		if err := s.close(0); err != nil {
			return err
		}
	}
	return nil
}
