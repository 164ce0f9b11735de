package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Journal appends records to the segments of one folder. Its methods are safe
// for concurrent use.
type Journal struct {
	config
	dir  string
	lock File

	mu      sync.Mutex
	queue   []*request
	closing bool
	head    rationale.Head // the last record that was acknowledged
	lost    error          // why nothing can be appended any more, for good
	index   []Segment
	moved   chan struct{}           // closed when head moves; nil: nobody waits for it
	marks   map[rationale.Head]mark // where readers go on
	readers map[string]bool         // names of the followers at work

	wake chan struct{} // something is queued, or closing
	done chan struct{} // the committer has ended
	end  error         // of closing; read after done

	retiring sync.Mutex

	crowded bool // the last commit answered several; the committer's alone

	turn sync.Mutex // held by whoever uses w
	w    writer
}

// request is what one append waits for.
type request struct {
	recs   []rationale.Record
	bodies [][]byte
	size   int
	sync   bool
	retire *retirement // instead of records
	taken  bool        // guarded by Journal.mu
	err    error
	ready  chan struct{} // closed when err is final
	text   []byte        // memory of bodies
	one    [1][]byte     // room for bodies: most appends are of one record
}

// Open opens the journal of a folder for appending, and creates both where they
// do not exist (mode 0700, with its parents). The caller closes it.
//
// It verifies the headers of all segments, and the records from the last
// snapshot on, which [WithState]'s state is rebuilt from. It then begins a new
// segment, whose first records are a snapshot and a lifecycle record of the
// event [rationale.EventOpened].
//
// ErrLocked is the error while another has the journal open, and a
// *[DamageError] that of files that do not read as they were written.
func Open(dir string, opts ...Option) (*Journal, error) {
	j := &Journal{
		config: configure(opts), dir: dir,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := j.open(); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	go j.commits()
	return j, nil
}

func (j *Journal) open() (err error) {
	if err := j.fs.MkdirAll(j.dir); err != nil {
		return err
	}
	if j.lock, err = j.fs.Lock(filepath.Join(j.dir, lockName)); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.lock.Close())
		}
	}()
	r := recovery{config: j.config, dir: j.dir}
	if err := r.run(); err != nil {
		return err
	}
	j.w = writer{
		config: j.config, dir: j.dir, lock: j.lock, number: r.last, oldest: max(1, r.oldest), head: r.head, durable: r.durable, carry: r.carry, torn: r.torn,
	}
	if r.head.Journal == "" {
		j.w.head.Journal = rationale.NewID(j.now())
		j.w.durable.Journal = j.w.head.Journal
	}
	j.w.notes = []rationale.Record{j.opened(r.cut)}
	if err := j.w.begin(); err != nil {
		return err
	}
	j.index = r.index
	j.publish()
	return nil
}

// opened is the record of the journal's opening.
func (j *Journal) opened(cut []rationale.Damage) *rationale.Lifecycle {
	now := j.now()
	l := &rationale.Lifecycle{ID: rationale.NewID(now), At: now, Event: rationale.EventOpened, Damage: cut}
	if cut != nil {
		l.Message = "the torn end of a write that was never acknowledged is passed over"
	}
	return l
}

// Now returns the time of the journal's clock.
func (j *Journal) Now() time.Time { return j.now() }

// ID returns the journal's id, a UUIDv7 of the time it was created.
func (j *Journal) ID() string { return j.Head().Journal }

// Dir returns the journal's folder.
func (j *Journal) Dir() string { return j.dir }

// Head returns the end of the chain: what was acknowledged so far.
func (j *Journal) Head() rationale.Head {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head
}

// Segments returns the journal's segments, the oldest first.
func (j *Journal) Segments() []Segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.index)
}

// Append makes the records durable, in this order and all of them, and returns
// nil once they are: they survive the end of the process and of the machine.
// Records that are appended at the same time share a write and an fsync.
//
// Any other error than ErrUncertain means that the records were not
// acknowledged, though after a failed write or fsync the disk can hold them all
// the same: a later opening then finds them. A record that cannot be encoded
// fails its own append alone. A context that is done while the append still waits for its
// turn withdraws it; one that is done while it is being written gives
// ErrUncertain. Without records Append reports whether the journal still works.
func (j *Journal) Append(ctx context.Context, recs ...rationale.Record) error {
	return j.append(ctx, recs, true)
}

// Write is Append without waiting for fsync: what it acknowledged survives the
// end of the process, and after that of the machine the last of it can be
// missing, never what was acknowledged by an Append after it. It is for
// records whose loss costs nothing but the record.
//
// Where nobody else is writing, the caller writes by itself. It waits for no
// fsync, but a write that the system holds back, as it may while a disk hangs, it
// cannot leave when ctx is done.
func (j *Journal) Write(ctx context.Context, recs ...rationale.Record) error {
	return j.append(ctx, recs, false)
}

func (j *Journal) append(ctx context.Context, recs []rationale.Record, sync bool) (err error) {
	if began := j.meter.start(); len(recs) > 0 && !began.IsZero() {
		defer func() { j.meter.appended(began, err) }()
	}
	if err = j.add(ctx, newRequest(sync), recs); err != nil {
		return fmt.Errorf("append to journal: %w", err)
	}
	return nil
}

// newRequest returns an empty request, of those that were never queued where it
// may be given back.
func newRequest(sync bool) *request {
	if sync {
		return &request{sync: true}
	}
	return requests.Get().(*request)
}

// add commits records here and now, or queues them and waits.
func (j *Journal) add(ctx context.Context, r *request, recs []rationale.Record) error {
	if err := r.encode(recs); err != nil {
		return err
	}
	if !r.sync {
		if done, err := j.direct(ctx, r); done {
			r.release()
			return err
		}
	}
	return j.do(ctx, r)
}

// requests are such as were never queued: nobody else knows of them.
var requests = sync.Pool{New: func() any { return new(request) }}

// release gives back a request that was not queued.
func (r *request) release() {
	if cap(r.text) <= maxText {
		*r = request{text: r.text[:0]}
		requests.Put(r)
	}
}

// maxText is how much memory a request keeps for the next append.
const maxText = 64 << 10

// encode encodes the records, one behind the other.
func (r *request) encode(recs []rationale.Record) (err error) {
	r.recs, r.bodies = recs, r.one[:0]
	for _, rec := range recs {
		start := len(r.text)
		if r.text, err = rationale.AppendRecord(r.text, rec); err != nil {
			return err
		}
		body := r.text[start:] // where text moves on, the old memory stays with it
		r.bodies = append(r.bodies, body)
		r.size += len(body) + lineOverhead
	}
	if r.size > maxPayload {
		return fmt.Errorf("%d bytes are too many at once: at most %d", r.size, maxPayload)
	}
	return nil
}

// do hands a request to the committer and waits for its answer.
func (j *Journal) do(ctx context.Context, r *request) error {
	r.ready = make(chan struct{})
	if err := j.enqueue(ctx, r); err != nil {
		return err
	}
	select {
	case <-r.ready:
		return r.err
	case <-ctx.Done():
		return j.withdraw(r, context.Cause(ctx))
	}
}

// lineOverhead is what an envelope adds to a body, at most.
const lineOverhead = 256

func (j *Journal) enqueue(ctx context.Context, r *request) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closing:
		return ErrClosed
	case j.lost != nil:
		return j.lost
	}
	j.queue = append(j.queue, r)
	select {
	case j.wake <- struct{}{}:
	default:
	}
	return nil
}

// withdraw takes back what has not been taken, and returns the answer of what
// was answered after all.
func (j *Journal) withdraw(r *request, cause error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !r.taken {
		j.queue = slices.DeleteFunc(j.queue, func(q *request) bool { return q == r })
		return cause
	}
	select {
	case <-r.ready:
		return r.err
	default:
		return fmt.Errorf("%w: %w", ErrUncertain, cause)
	}
}

// Wait returns when the journal's head is beyond a position of the current
// journal, or with the error of a context that is done or ErrClosed.
func (j *Journal) Wait(ctx context.Context, seq uint64) error {
	for {
		j.mu.Lock()
		if j.moved == nil {
			j.moved = make(chan struct{})
		}
		head, moved, closing := j.head, j.moved, j.closing
		j.mu.Unlock()
		if head.Seq > seq {
			return nil
		}
		if closing {
			return ErrClosed
		}
		select {
		case <-moved:
		case <-j.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Healthy returns nil if the last append succeeded, and otherwise why the
// journal cannot append.
func (j *Journal) Healthy() error {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	return j.Append(ctx)
}

const healthTimeout = 5 * time.Second

// Close waits for what is being appended, makes what [Journal.Write] took durable,
// and releases the lock. Every later append returns ErrClosed; a second Close
// returns what the first did.
func (j *Journal) Close() error {
	j.mu.Lock()
	if !j.closing {
		j.closing = true
		select {
		case j.wake <- struct{}{}:
		default:
		}
	}
	j.mu.Unlock()
	<-j.done
	return j.end
}
