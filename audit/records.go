package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Kinds of the rows of one decision, in the order in which they are put together.
const (
	rowDecision = 'd'
	rowLapse    = 'l'
	rowOutcome  = 'o'
	rowSettled  = 's'
)

// recordReader reads journals into rows by the id of the decision. It looks at
// the canonical bodies, not at records: they hold much more than it needs.
type recordReader struct {
	doc    *Document
	source func(paths ...string) iter.Seq2[journal.Entry, error]
	pick   *picker
	rows   *sorter // by decision
	lapse  *sorter // tickets by their decision, and the decisions that followed
	gaps   *recordGaps
	found  *results

	kind, id, at, decision, status, effects                 int
	verdict, standing, class, effect, server, tool, agent   int
	approval, parent, authorization, expires, ticket, event int
	by                                                      int
	arguments                                               []int
	row                                                     rowOut
	read, foreign                                           int // decisions; those of other agents
	first, last                                             time.Time
	progress                                                *progress
	withEffects                                             int
}

func newRecordReader(doc *Document, disk *disk, found *results) *recordReader {
	p := newPicker()
	r := &recordReader{
		doc: doc, pick: p, rows: newSorter(disk), lapse: newSorter(disk), gaps: &recordGaps{}, found: found,
		kind: p.mustWant("kind"), id: p.mustWant("id"), at: p.mustWant("at"), decision: p.mustWant("decision"),
		status: p.mustWant("status"), effects: p.mustWant("effect_id"),
		verdict: p.mustWant("verdict"), standing: p.mustWant("standing"),
		class: p.mustWant("class"), effect: p.mustWant("effect"), server: p.mustWant("tool.server"), tool: p.mustWant("tool.name"),
		agent: p.mustWant("agent.id"), approval: p.mustWant("approval"), parent: p.mustWant("parent"),
		authorization: p.mustWant("authorization.id"), expires: p.mustWant("authorization.expires"),
		ticket: p.mustWant("ticket.expires"), event: p.mustWant("event"), by: p.mustWant("by"),
	}
	for _, path := range doc.arguments {
		r.arguments = append(r.arguments, p.mustWant("arguments."+path))
	}
	return r
}

// readAll reads every journal. What is damaged is a gap, and the rest is read.
func (r *recordReader) readAll(ctx context.Context) error {
	n := 0
	for entry, err := range r.source(r.doc.records...) {
		if n++; n%1024 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.progress.records(n)
		}
		if err != nil {
			r.gaps.broken(err)
			continue
		}
		if err := r.entry(entry); err != nil {
			return err
		}
	}
	r.progress.records(n)
	r.gaps.end()
	return r.lapsed()
}

func (r *recordReader) entry(e journal.Entry) error {
	// What follows a problem may be it: not as it was written.
	sound := !r.gaps.problem()
	if sound && r.pick.pickCanonical(e.Envelope.Body) {
		// as nearly all are
	} else if err := r.pick.pick(e.Envelope.Body); err != nil {
		r.gaps.broken(&journal.ReadError{File: e.File, Offset: e.Offset, Err: err})
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, r.pick.str(r.at))
	if err != nil {
		r.gaps.broken(&journal.ReadError{File: e.File, Offset: e.Offset, Err: errNoTime})
		return nil
	}
	r.gaps.seen(e.Envelope.Journal, e.Envelope.Seq, at)
	if r.first.IsZero() || at.Before(r.first) {
		r.first = at
	}
	if at.After(r.last) {
		r.last = at
	}
	switch rationale.Kind(r.pick.str(r.kind)) {
	case rationale.KindDecision:
		return r.addDecision(e, at)
	case rationale.KindOutcome:
		return r.addOutcome(at)
	case rationale.KindSettlement:
		return r.addSettlement(e, at)
	case rationale.KindLifecycle:
		agent := r.pick.str(r.agent)
		if rationale.Event(r.pick.str(r.event)) == rationale.EventLoaded && r.agentOf(agent) >= 0 {
			r.found.known(r.pick.str(r.authorization), agent)
		}
	}
	return nil
}

func (r *recordReader) addDecision(e journal.Entry, at time.Time) error {
	p := r.pick
	r.read++
	agent := r.agentOf(p.str(r.agent))
	if agent < 0 {
		r.foreign++
		return nil
	}
	d := decision{
		id: strings.ToLower(p.str(r.id)), at: at.UTC(), verdict: p.str(r.verdict), standing: p.str(r.standing),
		class: p.str(r.class), effect: p.str(r.effect), tool: p.str(r.tool), agent: agent,
		authorization: p.str(r.authorization), approval: p.str(r.approval), parent: strings.ToLower(p.str(r.parent)),
		place: placeOf(e),
	}
	if server := p.str(r.server); server != "" {
		d.tool = server + "/" + d.tool
	}
	r.found.decided(d.authorization, r.doc.agents[agent].id, d.tool, d.class)
	d.expires, _ = time.Parse(time.RFC3339Nano, p.str(r.expires))
	for _, slot := range r.arguments {
		var values []string
		keyed := false
		p.all(slot, func(_ picked, text []byte) {
			keyed = keyed || strings.HasPrefix(string(text), rationale.KeyedPrefix)
			if len(values) < maxValues {
				values = append(values, short(string(text)))
			}
		})
		if keyed {
			values = nil
		}
		d.arguments = append(d.arguments, values)
	}
	if d.approval != "" && d.parent != "" {
		if err := r.lapse.add([]byte(d.parent), append([]byte{1}, d.id...)); err != nil {
			return err
		}
	}
	if expires, err := time.Parse(time.RFC3339Nano, p.str(r.ticket)); err == nil {
		if err := r.lapse.add([]byte(d.id), append([]byte{0}, timeKey(expires)...)); err != nil {
			return err
		}
	}
	r.row.reset()
	r.row = append(r.row, rowDecision)
	d.encode(&r.row)
	return r.rows.add([]byte(d.id), r.row)
}

// agentOf returns the index of an agent; -1: the document does not name it.
func (r *recordReader) agentOf(id string) int {
	return slices.IndexFunc(r.doc.agents, func(a agent) bool { return a.id == id })
}

func (r *recordReader) addOutcome(at time.Time) error {
	id := strings.ToLower(r.pick.str(r.decision))
	effects := strings.FieldsFunc(r.pick.str(r.effects), func(c rune) bool { return c == ',' || c == ' ' })
	if len(effects) > 0 {
		r.withEffects++
	}
	r.row.reset()
	r.row = append(r.row, rowOutcome)
	r.row.time(at)
	r.row.str(r.pick.str(r.status))
	r.row.strs(effects)
	return r.rows.add([]byte(id), r.row)
}

func (r *recordReader) addSettlement(e journal.Entry, at time.Time) error {
	r.row.reset()
	r.row = append(r.row, rowSettled)
	r.row.time(at)
	r.row.str(r.pick.str(r.status))
	r.row.str(r.pick.str(r.by))
	r.row.str(placeOf(e))
	return r.rows.add([]byte(strings.ToLower(r.pick.str(r.decision))), r.row)
}

// placeOf says where a record is.
func placeOf(e journal.Entry) string {
	return fmt.Sprintf("%s: record %d", filepath.Base(e.File), e.Envelope.Seq)
}

// lapsed adds to each decision that used an approval when the ticket ended that
// was approved.
func (r *recordReader) lapsed() error {
	var ticket string
	var expires []byte
	return r.lapse.each(func(key, row []byte) error {
		if row[0] == 0 {
			ticket, expires = string(key), append(expires[:0], row[1:]...)
			return nil
		}
		if ticket != string(key) {
			return nil // the decision that pended is not in these records
		}
		r.row.reset()
		r.row = append(append(r.row, rowLapse), expires...)
		return r.rows.add(row[1:], r.row)
	})
}

// eachDecision yields the decisions with their outcomes and settlements, by id, and
// once each. What is of a decision that is not in the records is left out.
func (r *recordReader) eachDecision(f func(*decision) error) error {
	var d decision
	open := false
	err := r.rows.each(func(key, row []byte) error {
		in := readRow(row[1:])
		if open && d.id != string(key) {
			open = false
			if err := f(&d); err != nil {
				return err
			}
		}
		switch {
		case row[0] == rowDecision && !open:
			d.decode(&in)
			open = true
		case row[0] == rowLapse && open:
			d.lapses = in.time()
		case row[0] == rowOutcome && open && d.status == "":
			d.ended, d.status, d.effects = in.time(), in.str(), in.strs()
		case row[0] == rowSettled && open && d.settled.status == "":
			d.settled = settlement{in.time(), in.str(), in.str(), in.str()}
		}
		return in.err()
	})
	if err == nil && open {
		err = f(&d)
	}
	return err
}

// recordGaps are the places where records are missing.
type recordGaps struct {
	list    []RecordGap
	more    int // beyond maxGaps
	journal string
	seq     uint64
	at      time.Time
	open    *RecordGap
}

const maxGaps = 1000

// RecordGap is a place in a journal where records are missing or damaged.
type RecordGap struct {
	Problem string    // where, and what is wrong
	Journal string    // the journal's id, where it is known
	First   uint64    // the first record that is missing, 0: not known
	Last    uint64    // the last one, 0: not known
	From    time.Time // the record before, zero: there is none
	To      time.Time // the record after, zero: there is none
}

// around reports whether what is missing can have been written at a time.
func (g *RecordGap) around(at time.Time, slack time.Duration) bool {
	return (g.From.IsZero() || !at.Before(g.From.Add(-slack))) && (g.To.IsZero() || !at.After(g.To.Add(slack)))
}

// problem reports whether something was broken since the last record.
func (g *recordGaps) problem() bool { return g.open != nil }

func (g *recordGaps) broken(err error) {
	if journal.Torn(err) {
		return // nothing of it was acknowledged
	}
	if g.open != nil {
		return // the same gap
	}
	g.open = &RecordGap{Problem: rationale.Printable(err.Error()), Journal: g.journal, From: g.at}
	if g.seq > 0 {
		g.open.First = g.seq + 1
	}
	if failed, ok := errors.AsType[*journal.ReadError](err); ok && failed.After.Seq > 0 {
		if failed.After.Journal != g.journal {
			g.open.From = time.Time{} // another journal begins with it
		}
		g.open.Journal, g.open.First = failed.After.Journal, failed.After.Seq+1
	}
}

func (g *recordGaps) seen(journal string, seq uint64, at time.Time) {
	if g.open != nil {
		if g.open.Journal == journal || g.open.Journal == "" {
			g.open.To = at
			if g.open.Journal = journal; seq > 1 && g.open.First < seq {
				g.open.Last = seq - 1
			}
		}
		g.end()
	}
	g.journal, g.seq, g.at = journal, seq, at
}

// String says what is missing, for people.
func (g *RecordGap) String() string {
	text := g.Problem
	switch {
	case g.First > 0 && g.Last > g.First:
		text = fmt.Sprintf("journal %s lacks records %d to %d (%s)", g.Journal, g.First, g.Last, g.Problem)
	case g.First > 0 && g.Last == g.First:
		text = fmt.Sprintf("journal %s lacks record %d (%s)", g.Journal, g.First, g.Problem)
	case g.First > 0:
		text = fmt.Sprintf("journal %s lacks records from %d on (%s)", g.Journal, g.First, g.Problem)
	}
	return text
}

func (g *recordGaps) end() {
	switch {
	case g.open == nil:
	case len(g.list) < maxGaps:
		g.list = append(g.list, *g.open)
	default:
		g.more++
	}
	g.open = nil
}
