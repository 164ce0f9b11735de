package recorddb

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// loader writes records as rows, each as it comes. What it keeps in memory does not
// grow with their number.
type loader struct {
	tx     *sql.Tx
	insert map[string]*sql.Stmt
	bodies bool

	n       int64           // of the last record
	broken  *string         // the journal of a gap before the next record; nil: none; empty: not known
	known   map[string]bool // people who are in the table, up to maxKnown
	support support
}

// maxKnown bounds the people who are remembered; others are only looked up.
const maxKnown = 4096

func newLoader(db *sql.DB, bodies bool) (*loader, error) {
	tx, err := db.Begin()
	return &loader{
		tx: tx, bodies: bodies, insert: make(map[string]*sql.Stmt), known: make(map[string]bool),
		support: make(map[string]authority.Document),
	}, err
}

// Add takes in what [journal.Read] yields: an entry, or an error, which becomes a gap.
// An error of its own is one of the database.
func (db *DB) Add(entry journal.Entry, problem error) error {
	l := db.loader
	if problem != nil {
		return l.gap(problem)
	}
	l.n++
	e := entry.Envelope
	rec := entry.Record
	broken := l.broken != nil && (*l.broken == "" || *l.broken == e.Journal)
	l.broken = nil
	var body any
	if l.bodies {
		body = string(e.Body)
	}
	if err := l.row(
		"record", col{"n", l.n}, col{"journal", e.Journal}, col{"seq", int64(e.Seq)}, col{"hash", entry.Hash}, col{"prev", e.Prev},
		col{"ok", truth(!broken)}, col{"id", rec.RecordID()}, col{"kind", string(rec.RecordKind())}, col{"at", moment(rec.RecordTime())},
		col{"file", entry.File}, col{"json", body},
	); err != nil {
		return err
	}
	return l.record(rec)
}

func (l *loader) record(rec rationale.Record) error {
	switch r := rec.(type) {
	case *rationale.Decision:
		return l.decision(r)
	case *rationale.Outcome:
		return l.outcome(r)
	case *rationale.Settlement:
		return l.settlement(r)
	case *rationale.Approval:
		return l.approval(r)
	case *rationale.Review:
		return l.review(r)
	case *rationale.Lifecycle:
		return l.lifecycle(r)
	case *rationale.Checkpoint:
		return l.checkpoint(r)
	}
	return nil // a snapshot repeats what other records say; a kind of another version has no columns
}

// gap writes what the reader could not read, or what does not follow.
func (l *loader) gap(problem error) error {
	var at journal.ReadError
	if e, ok := errors.AsType[*journal.ReadError](problem); ok {
		at = *e
	} else {
		at = journal.ReadError{Offset: -1, Err: problem}
	}
	if !journal.Torn(problem) {
		l.broken = &at.After.Journal
	}
	var offset any
	if at.Offset >= 0 {
		offset = at.Offset
	}
	return l.row("gap", col{"kind", gapKind(problem)}, col{"file", at.File}, col{"at_byte", offset},
		col{"journal", text(at.After.Journal)}, col{"after_seq", int64(at.After.Seq)}, col{"says", problem.Error()})
}

// gapKind names a problem of reading.
func gapKind(err error) string {
	chain, broken := errors.AsType[*rationale.ChainError](err)
	switch {
	case journal.Torn(err):
		return "torn"
	case errors.Is(err, journal.ErrMissing):
		return "missing"
	case errors.Is(err, journal.ErrAside):
		return "aside"
	case broken:
		return "chain " + string(chain.Problem)
	}
	return "damaged"
}

// col is one column of a row that is inserted.
type col struct {
	name  string
	value any
}

// row inserts a row, unless the table has one with that key. Each table is always given
// the same columns.
func (l *loader) row(table string, cols ...col) error {
	stmt := l.insert[table]
	if stmt == nil {
		names := make([]string, len(cols))
		for i, c := range cols {
			names[i] = c.name
		}
		var err error
		stmt, err = l.tx.Prepare(fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s) ON CONFLICT DO NOTHING",
			table, strings.Join(names, ", "), strings.Repeat(", ?", len(cols)-1)))
		if err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
		l.insert[table] = stmt
	}
	values := make([]any, len(cols))
	for i, c := range cols {
		values[i] = c.value
	}
	if _, err := stmt.Exec(values...); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

// people notes how ids of people compare.
func (l *loader) people(ids ...string) error {
	for _, id := range ids {
		if id == "" || l.known[id] {
			continue
		}
		if len(l.known) >= maxKnown {
			clear(l.known)
		}
		l.known[id] = true
		if err := l.row("person", col{"id", id}, col{"same", same(id)}); err != nil {
			return err
		}
	}
	return nil
}

// finish writes what only all records together say.
func (l *loader) finish() error {
	if err := l.classes(); err != nil {
		return err
	}
	for _, table := range []string{"decision", "outcome"} {
		if _, err := l.tx.Exec(`UPDATE ` + table + ` SET sealed = 'erased'
			WHERE sealed_key IN (SELECT subject_key FROM lifecycle WHERE event = 'erased')`); err != nil {
			return err
		}
	}
	return l.tx.Commit()
}
