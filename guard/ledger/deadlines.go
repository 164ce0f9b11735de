package ledger

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// deadlines is a set of ids, each with a time, from which the earliest can be
// taken.
type deadlines struct {
	heap deadlineHeap
	byID map[string]*deadline
}

type deadline struct {
	id         string
	at         time.Time
	segment    uint64 // of the journal, where the decision is recorded; 0: not known
	expendable bool   // its records may be lost with the machine
	reserved   bool   // not recorded yet
	index      int
}

func newDeadlines() deadlines { return deadlines{byID: make(map[string]*deadline)} }

func (d *deadlines) len() int { return len(d.heap) }

func (d *deadlines) has(id string) bool { return d.byID[id] != nil }

// add adds, unless the id is there.
func (d *deadlines) add(e deadline) {
	if d.has(e.id) {
		return
	}
	d.byID[e.id] = &e
	heap.Push(&d.heap, &e)
}

// addWithin adds, and makes room by dropping the earliest.
func (d *deadlines) addWithin(limit int, e deadline) {
	if d.len() >= limit && !d.has(e.id) {
		d.remove(d.heap[0].id)
	}
	d.add(e)
}

// list returns all that are recorded, the earliest first.
func (d *deadlines) list() []waiting {
	all := make([]waiting, 0, len(d.heap))
	for _, e := range d.heap {
		if !e.reserved {
			all = append(all, waiting{e.id, e.at, e.segment})
		}
	}
	slices.SortFunc(all, func(a, b waiting) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Decision, b.Decision))
	})
	return all
}

func (d *deadlines) remove(id string) {
	if e := d.byID[id]; e != nil {
		delete(d.byID, id)
		heap.Remove(&d.heap, e.index)
	}
}

// first returns the id with the earliest time.
func (d *deadlines) first() (string, bool) {
	if d.len() == 0 {
		return "", false
	}
	return d.heap[0].id, true
}

// expire drops what is due at a time.
func (d *deadlines) expire(at time.Time) {
	for d.len() > 0 && !d.heap[0].at.After(at) {
		d.remove(d.heap[0].id)
	}
}

// before counts what is due at a time.
func (d *deadlines) before(at time.Time) int {
	n := 0
	for _, e := range d.heap {
		if !e.at.After(at) {
			n++
		}
	}
	return n
}

// deadlineHeap implements [heap.Interface], the earliest first.
type deadlineHeap []*deadline

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *deadlineHeap) Push(x any) {
	e := x.(*deadline)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *deadlineHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
