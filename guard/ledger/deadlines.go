package ledger

import (
	"cmp"
	"container/heap"
	"iter"
	"slices"
	"time"
)

// deadlines is a set of ids, each with a time, from which the earliest can be
// taken.
type deadlines struct {
	heap deadlineHeap
	byID map[string]*deadline
	free *deadline // one that was removed, for the next that is added
}

type deadline struct {
	id         string
	at         time.Time
	segment    uint64 // of the journal, where the decision is recorded; 0: not known
	expendable bool   // its records may be lost with the machine
	reserved   bool   // not recorded yet
	claimed    bool   // somebody is recording it, or what becomes of it
	index      int
}

func newDeadlines() deadlines { return deadlines{byID: make(map[string]*deadline)} }

func (d *deadlines) len() int { return len(d.heap) }

// get returns the entry of an id, or nil.
func (d *deadlines) get(id string) *deadline { return d.byID[id] }

// add adds an entry, unless its id is there, and returns the one that is.
func (d *deadlines) add(e deadline) *deadline {
	if known := d.byID[e.id]; known != nil {
		return known
	}
	added := d.free
	if d.free = nil; added == nil {
		added = new(deadline)
	}
	*added = e
	d.byID[e.id] = added
	heap.Push(&d.heap, added)
	return added
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
		d.free = e
	}
}

// first returns the entry with the earliest time, or nil.
func (d *deadlines) first() *deadline {
	if d.len() == 0 {
		return nil
	}
	return d.heap[0]
}

// until yields what is due at a time, in no order.
func (d *deadlines) until(at time.Time) iter.Seq[*deadline] {
	return func(yield func(*deadline) bool) { d.heap.until(at, 0, yield) }
}

// deadlineHeap implements [heap.Interface], the earliest first.
type deadlineHeap []*deadline

func (h deadlineHeap) Len() int { return len(h) }

// Less has an order for those of one time too: the first is the same for all who share
// a log.
func (h deadlineHeap) Less(i, j int) bool {
	return cmp.Or(h[i].at.Compare(h[j].at), cmp.Compare(h[i].id, h[j].id)) < 0
}

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

// until yields what is due at a time of the entry at an index and those below it,
// which are later.
func (h deadlineHeap) until(at time.Time, i int, yield func(*deadline) bool) bool {
	if i >= len(h) || h[i].at.After(at) {
		return true
	}
	return yield(h[i]) && h.until(at, 2*i+1, yield) && h.until(at, 2*i+2, yield)
}
