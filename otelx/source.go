package otelx

import (
	"context"
	"iter"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Source is where a [Delivery] takes records from, and where it keeps how far it
// has come. [journal.Journal.Follow] gives one. An implementation must be safe
// for concurrent use, and is used by one delivery at a time.
//
// A source with a method Name() string has its name on the metrics of its delivery.
//
// Where processes share one place, one of them delivers. To the others Head says that nothing is
// left to deliver. Such a source has one more method, Resumed() (p journal.Place, moved bool), which
// says once, after it has taken over, at which place the delivery goes on.
type Source interface {
	// Begin returns the place that Keep kept last; the zero Place if there is none.
	Begin() (journal.Place, error)
	// Head returns the last record that is durable.
	Head() rationale.Head
	// After yields the records behind a head, in order, up to the last one
	// that is durable; all that are here behind the zero Head. An error that is
	// [journal.ErrLost] says that records are gone for good, and those behind
	// them follow. Any other ends the iteration, and the delivery tries again.
	// One that is [journal.ErrMissing] says that the head itself is not here.
	After(head rationale.Head) iter.Seq2[journal.Entry, error]
	// Wait returns when Head is beyond a position, or with the error of a
	// context that is done; with [journal.ErrClosed] once there will be no more.
	Wait(ctx context.Context, seq uint64) error
	// Decisions returns those of the decisions with given ids that are still here.
	Decisions(ids ...string) (map[string]*rationale.Decision, error)
	// Keep makes a place durable in the stead of the one before: a crash leaves
	// one or the other.
	Keep(p journal.Place) error
	// Reject makes one JSON text durable beside those before it, Rejected returns
	// them, and SetRejected replaces all of them.
	Reject(line []byte) error
	Rejected() ([][]byte, error)
	SetRejected(lines [][]byte) error
	// Close ends the use of the source.
	Close() error
}
