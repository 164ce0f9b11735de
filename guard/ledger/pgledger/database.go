package pgledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ambit-go/ambit/rationale"
)

// What is asked of the database. Each is one round trip, but for the first time on a connection.
const (
	sqlTail   = "SELECT clock, seq, hash, body FROM ambit.tail($1)"
	sqlHold   = "SELECT clock, seq, hash, body FROM ambit.hold($1)"
	sqlAppend = "SELECT clock, seq, hash, body FROM ambit.append($1, $2, $3, $4, $5, $6)"
)

// clock is the database's.
type clock struct {
	said  time.Time // not later than when the database answered
	heard time.Time // when the answer arrived, by this process's clock
}

// now returns the database's time, as far as it is known, and never a later one; the zero time
// if it is not known.
func (c clock) now() time.Time {
	if c.said.IsZero() {
		return time.Time{}
	}
	return c.said.Add(time.Since(c.heard)).UTC().Truncate(time.Microsecond)
}

// page is what the database said: the end of the log, and the records behind a position, or
// the first of them.
type page struct {
	clock  clock
	head   rationale.Head
	first  uint64 // seq of the first body
	bodies [][]byte
}

// readPage reads the answer of ambit.tail, hold or append. Only what was read to its end counts: the
// commit comes after the last row.
func readPage(rows pgx.Rows, err error, journal string) (page, error) {
	if err != nil {
		return page{}, err
	}
	var (
		p          page
		said       *time.Time // nil in the row of a record
		seq        int64
		hash, body []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&said, &seq, &hash, &body}, func() error {
		if said != nil {
			p.clock = clock{*said, time.Now()}
			p.head = rationale.Head{Journal: journal, Seq: uint64(seq), Hash: digestOf(hash)}
			return nil
		}
		if len(p.bodies) == 0 {
			p.first = uint64(seq)
		}
		p.bodies = append(p.bodies, bytes.Clone(body))
		return nil
	})
	if err == nil && p.clock.said.IsZero() {
		err = errors.New("the server is a standby, or ambit.log is empty")
	}
	return p, err
}

const digestPrefix = "sha256:"

func digestOf(hash []byte) string {
	if len(hash) == 0 {
		return ""
	}
	return digestPrefix + hex.EncodeToString(hash)
}

func bytesOf(digest string) []byte {
	b, _ := hex.DecodeString(strings.TrimPrefix(digest, digestPrefix)) // it is our own
	return b
}

// database is the log in the database.
type database struct {
	pool    *pgxpool.Pool
	journal string
}

// tail returns what is behind a position.
func (db *database) tail(ctx context.Context, behind uint64) (page, error) {
	rows, err := db.pool.Query(ctx, sqlTail, int64(behind))
	return readPage(rows, err, db.journal)
}

// lines are records as they are appended.
type lines struct {
	kinds, ids []string
	bodies     [][]byte
}

func appendArguments(behind rationale.Head, decided time.Time, l *lines) []any {
	return []any{int64(behind.Seq), bytesOf(behind.Hash), decided, l.kinds, l.ids, l.bodies}
}

// append appends lines behind a head, if that is the end of the log. An error that is
// [errSent] leaves open whether it did.
func (db *database) append(ctx context.Context, behind rationale.Head, decided time.Time, l *lines) (page, error) {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return page{}, err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, sqlAppend, appendArguments(behind, decided, l)...)
	p, err := readPage(rows, err, db.journal)
	return p, sent(err)
}

// held is a transaction that holds the end of the log.
type held struct {
	db   *database
	conn *pgxpool.Conn
}

// hold locks the end of the log, and returns what is behind a position.
func (db *database) hold(ctx context.Context, behind uint64) (*held, page, error) {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, page{}, err
	}
	var both pgx.Batch
	both.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	both.Queue(sqlHold, int64(behind))
	results := conn.SendBatch(ctx, &both)
	_, err = results.Exec()
	var p page
	if err == nil {
		rows, queryErr := results.Query()
		p, err = readPage(rows, queryErr, db.journal)
	}
	if err = errors.Join(err, results.Close()); err != nil {
		conn.Release() // which closes one that is in a transaction
		return nil, page{}, err
	}
	return &held{db, conn}, p, nil
}

// append appends lines and commits. An error that is [errSent] leaves open whether
// it did.
func (h *held) append(ctx context.Context, behind rationale.Head, decided time.Time, l *lines) (page, error) {
	defer h.conn.Release()
	var both pgx.Batch
	both.Queue(sqlAppend, appendArguments(behind, decided, l)...)
	both.Queue("COMMIT")
	results := h.conn.SendBatch(ctx, &both)
	rows, err := results.Query()
	p, err := readPage(rows, err, h.db.journal)
	if err == nil {
		var tag pgconn.CommandTag
		if tag, err = results.Exec(); err == nil && tag.String() != "COMMIT" {
			err = fmt.Errorf("the database answered %q to COMMIT", tag)
		}
	}
	if closing := results.Close(); err == nil {
		err = closing
	}
	return p, sent(err)
}

// release ends the transaction without a change.
func (h *held) release(ctx context.Context) {
	_, _ = h.conn.Exec(ctx, "ROLLBACK") // else the connection is closed, which ends it as well
	h.conn.Release()
}

// errSent is the error of what the database was sent, and of which it is not known whether it
// did it.
var errSent = errors.New("the connection was lost before the database answered")

// sent says of an error whether it leaves open what the database did. One that the
// database reports, and that is not the end of the session, rolled everything back.
func sent(err error) error {
	if err == nil || pgconn.SafeToRetry(err) {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.SeverityUnlocalized == "ERROR" {
		return err
	}
	return fmt.Errorf("%w: %w", errSent, err)
}
