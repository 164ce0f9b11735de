package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/ambit-go/ambit/rationale"
)

// maxBatch is how many bytes of waiting appends become one frame.
const maxBatch = 8 << 20

// commits is the goroutine that writes what was queued: it takes all that wait,
// makes them one frame, and answers each.
func (j *Journal) commits() {
	defer close(j.done)
	for {
		<-j.wake
		// Whoever was answered by the last commit gets to append again, so that
		// its next records share this one's fsync.
		if j.crowded {
			runtime.Gosched()
		}
		for j.next() {
		}
		j.mu.Lock()
		closing := j.closing && len(j.queue) == 0
		j.mu.Unlock()
		if closing {
			j.turn.Lock()
			defer j.turn.Unlock()
			j.end = errors.Join(j.w.finish(), j.lock.Close())
			j.publish()
			return
		}
	}
}

// next commits what waits, and reports whether anything did.
func (j *Journal) next() bool {
	j.turn.Lock() // before anything is taken: until then it can be withdrawn
	defer j.turn.Unlock()
	batch := j.take()
	if len(batch) == 0 {
		return false
	}
	j.crowded = len(batch) > 1
	var group group
	for _, r := range batch {
		group.add(r)
	}
	err := j.commit(func() error {
		if r := batch[0].retire; r != nil {
			return j.w.retire(r)
		}
		return j.w.write(&group)
	})
	for _, r := range batch {
		r.err = err
		close(r.ready)
	}
	return true
}

// direct commits a request that waits for no fsync, in the goroutine of its
// caller: waking the committer, and being woken by it, takes longer than the
// write. It reports whether it did: where somebody else is writing, or the write
// would not be all, it is left to the committer, for whom the caller waits no
// longer than its context allows.
func (j *Journal) direct(ctx context.Context, r *request) (done bool, err error) {
	if len(r.recs) == 0 || ctx.Err() != nil || !j.turn.TryLock() {
		return false, nil
	}
	defer j.turn.Unlock()
	if j.isClosing() {
		return false, nil
	}
	group := group{recs: r.recs, bodies: r.bodies, size: r.size}
	err = j.commit(func() (err error) {
		done, err = j.w.quick(&group)
		return err
	})
	return done || err != nil, err
}

func (j *Journal) isClosing() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.closing
}

// take removes from the queue what goes into the next frame.
func (j *Journal) take() []*request {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, size := 0, 0
	for n < len(j.queue) && (n == 0 || size+j.queue[n].size <= maxBatch && j.queue[n].retire == nil && j.queue[0].retire == nil) {
		size += j.queue[n].size
		j.queue[n].taken = true
		n++
	}
	batch := j.queue[:n:n]
	j.queue = j.queue[n:]
	return batch
}

// commit lets the writer do something, and shows what it did.
func (j *Journal) commit(write func() error) error {
	err := guarded(write)
	j.publish()
	return err
}

// publish shows what the writer did to everybody else.
func (j *Journal) publish() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.head != j.w.head {
		j.head = j.w.head
		if j.moved != nil {
			close(j.moved)
			j.moved = nil
		}
	}
	j.index, j.w.begun = append(j.index, j.w.begun...), nil
	j.lost = j.w.lost
}

// group is what becomes one frame.
type group struct {
	recs   []rationale.Record
	bodies [][]byte
	size   int
	sync   bool
}

func (g *group) add(r *request) {
	if g.bodies == nil { // most groups are one append
		g.recs, g.bodies, g.size, g.sync = slices.Clip(r.recs), slices.Clip(r.bodies), r.size, r.sync
		return
	}
	g.recs = append(g.recs, r.recs...)
	g.bodies = append(g.bodies, r.bodies...)
	g.size += r.size
	g.sync = g.sync || r.sync
}

// guarded turns a panic, of a State or of an FS, into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f()
}
