package journal

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/ambit-go/ambit/rationale"
)

// maxBatch is how many bytes of waiting appends become one frame.
const maxBatch = 8 << 20

// commits is the goroutine that alone writes: it takes all that wait, makes them
// one frame, and answers each.
func (j *Journal) commits() {
	defer close(j.done)
	for {
		<-j.wake
		// Whoever was answered by the last commit gets to append again, so that
		// its next records share this one's fsync.
		if j.crowded {
			runtime.Gosched()
		}
		for {
			batch := j.take()
			if len(batch) == 0 {
				break
			}
			j.commit(batch)
			j.crowded = len(batch) > 1
		}
		j.mu.Lock()
		closing := j.closing && len(j.queue) == 0
		j.mu.Unlock()
		if closing {
			j.end = errors.Join(j.w.finish(), j.lock.Close())
			j.publish()
			return
		}
	}
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

// commit writes a batch and answers it.
func (j *Journal) commit(batch []*request) {
	var group group
	for _, r := range batch {
		group.add(r)
	}
	err := guarded(func() error {
		if r := batch[0].retire; r != nil {
			return j.w.retire(r)
		}
		return j.w.write(&group)
	})
	j.publish()
	for _, r := range batch {
		r.err = err
		close(r.ready)
	}
}

// publish shows what the committer did to everybody else.
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
