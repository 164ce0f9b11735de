package pgledger

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// readTogether is how many records are read at once.
const readTogether = 256

// Read yields the records in a database, in order, up to the last one when it is called. The chain is verified on
// the way, up to what ambit.log says. Problems are yielded as [journal.Read] does, and reading goes on behind
// them; an error of the connection ends it. It changes nothing, and needs the rights of a reader.
func Read(ctx context.Context, conn *pgx.Conn) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		end, err := endOf(ctx, conn)
		if err != nil {
			yield(journal.Entry{}, fmt.Errorf("pgledger: %w", err))
			return
		}
		r := reading{end: end, last: rationale.Head{Journal: end.Journal}, yield: yield}
		if err := r.all(ctx, conn); err != nil {
			yield(journal.Entry{}, fmt.Errorf("pgledger: %w", err))
			return
		}
		switch last := r.last; {
		case r.stopped:
		case last.Seq < end.Seq:
			r.problem(last.Seq+1, fmt.Errorf("records %d to %d: %w", last.Seq+1, end.Seq, journal.ErrMissing))
		case last != end:
			r.problem(last.Seq, &rationale.ChainError{Problem: rationale.ChainEdited, Detail: "its hash is " + last.Hash + ", and ambit.log says " + end.Hash})
		}
	}
}

// endOf returns the last record of the log, which may be a standby's.
func endOf(ctx context.Context, q querier) (rationale.Head, error) {
	if err := checkVersion(ctx, q); err != nil {
		return rationale.Head{}, err
	}
	var (
		end  rationale.Head
		seq  int64
		hash []byte
	)
	if err := q.QueryRow(ctx, "SELECT journal::text, seq, hash FROM ambit.log").Scan(&end.Journal, &seq, &hash); err != nil {
		return rationale.Head{}, err
	}
	end.Seq, end.Hash = uint64(seq), digestOf(hash)
	return end, nil
}

// reading yields records up to an end.
type reading struct {
	last, end rationale.Head // last is the one that was read last
	yield     func(journal.Entry, error) bool
	verifier  *rationale.Verifier // nil: nothing was read yet
	stopped   bool
}

// all yields what is behind last.
func (r *reading) all(ctx context.Context, q querier) error {
	for !r.stopped && r.last.Seq < r.end.Seq {
		rows, err := q.Query(ctx, "SELECT seq, kind, id, prev, body FROM ambit.records WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
			int64(r.last.Seq), int64(r.end.Seq), readTogether)
		if err != nil {
			return err
		}
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
		if err != nil || len(page) == 0 {
			return err
		}
		for _, row := range page {
			if r.stopped {
				return nil
			}
			r.row(row)
		}
	}
	return nil
}

// row is a record as it is kept.
type row struct {
	Seq        int64
	Kind, ID   string
	Prev, Body []byte
}

// entry returns the record with its place and the line that the chain has of it.
func (r row) entry(in string) (e journal.Entry, line []byte, err error) {
	before := rationale.Head{Journal: in, Seq: uint64(r.Seq) - 1, Hash: digestOf(r.Prev)}
	chain := rationale.ResumeChain(before)
	line = chain.AppendBody(nil, r.Body)
	e = journal.Entry{
		File: place(chain.Head().Seq), Segment: 1, Hash: chain.Head().Hash,
		Envelope: rationale.Envelope{Journal: in, Seq: chain.Head().Seq, Prev: before.Hash, Body: r.Body},
	}
	e.Record, err = rationale.Unmarshal(r.Body)
	if err == nil && (e.Record.RecordID() != r.ID || string(e.Record.RecordKind()) != r.Kind) {
		err = fmt.Errorf("it is %s %s, and its row says %s %s", e.Record.RecordKind(), rationale.Printable(e.Record.RecordID()), rationale.Printable(r.Kind), rationale.Printable(r.ID))
	}
	return e, line[:len(line)-1], err
}

func place(seq uint64) string { return fmt.Sprintf("ambit.records, seq %d", seq) }

func (r *reading) row(row row) {
	e, line, err := row.entry(r.end.Journal)
	if r.verifier == nil { // what was retired before it is no problem here
		r.verifier = rationale.ResumeVerifier(rationale.Head{Journal: r.end.Journal, Seq: e.Envelope.Seq - 1, Hash: e.Envelope.Prev})
	}
	r.last = rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: e.Hash}
	if _, chain := r.verifier.Next(line); chain != nil {
		r.problem(e.Envelope.Seq, chain)
	}
	if err != nil {
		r.problem(e.Envelope.Seq, err)
	}
	if e.Record != nil && !r.stopped {
		r.stopped = !r.yield(e, nil)
	}
}

func (r *reading) problem(seq uint64, err error) {
	if !r.stopped {
		r.stopped = !r.yield(journal.Entry{}, &journal.ReadError{File: place(seq), Offset: -1, After: r.last, Err: err})
	}
}
