package ledger

import (
	"container/heap"
	"time"
)

// deadlines is a set of ids, each with a time, from which the earliest can be
// taken.
type deadlines struct {
	heap deadlineHeap
	byID map[string]*deadline
}

type deadline struct {
	id    string
	at    time.Time
	index int
}

func newDeadlines() deadlines { return deadlines{byID: make(map[string]*deadline)} }

func (d *deadlines) len() int { return len(d.heap) }

func (d *deadlines) has(id string) bool { return d.byID[id] != nil }

func (d *deadlines) add(id string, at time.Time) {
	if d.has(id) {
		return
	}
	e := &deadline{id: id, at: at}
	d.byID[id] = e
	heap.Push(&d.heap, e)
}

// addWithin adds, and makes room by dropping the earliest.
func (d *deadlines) addWithin(limit int, id string, at time.Time) {
	if d.len() >= limit {
		d.remove(d.heap[0].id)
	}
	d.add(id, at)
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
