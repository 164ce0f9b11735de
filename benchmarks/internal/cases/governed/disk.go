package governed

import (
	"errors"
	"os"
	"sync/atomic"

	"github.com/ambit-go/ambit/rationale/journal"
)

// disk is the machine's file system, which counts what a journal does.
type disk struct {
	journal.FS
	syncs  atomic.Int64
	sizes  []int // of writes, until begin; of one goroutine
	counts bool
}

// begin returns how often was synced since it was called last. Sizes are not
// noted any more.
func (d *disk) begin() int64 {
	d.counts = true
	return d.syncs.Swap(0)
}

// Create returns a file that counts.
func (d *disk) Create(name string) (journal.File, error) {
	f, err := d.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return counted{f, d}, nil
}

// InPlace compares the file that is counted.
func (d *disk) InPlace(f journal.File, name string) error {
	if c, ok := f.(counted); ok {
		f = c.File
	}
	return d.FS.InPlace(f, name)
}

type counted struct {
	journal.File
	disk *disk
}

func (c counted) Write(p []byte) (int, error) {
	if !c.disk.counts {
		c.disk.sizes = append(c.disk.sizes, len(p))
	}
	return c.File.Write(p)
}

func (c counted) Sync() error {
	c.disk.syncs.Add(1)
	return c.File.Sync()
}

// raw appends to a bare file, opened as a journal opens its own.
type raw struct {
	name    string
	sizes   [][2]int // of the appends of each call
	durable bool
	file    *os.File
	data    []byte
	size    int
	err     error
}

// begin begins a new file in place of the one that there is.
func (r *raw) begin() error {
	if r.file != nil {
		if err := errors.Join(r.file.Close(), os.Remove(r.name)); err != nil {
			return err
		}
	}
	longest := 0
	for _, s := range r.sizes {
		longest = max(longest, s[0], s[1])
	}
	r.data, r.size = make([]byte, longest), 0
	for i := range r.data {
		r.data[i] = 'x'
	}
	var err error
	r.file, err = os.OpenFile(r.name, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	return err
}

func (r *raw) close() { _ = r.file.Close() }

func (r *raw) run(n int) int {
	for i := range n {
		for _, size := range r.sizes[i%len(r.sizes)] {
			if err := r.append(r.data[:size]); err != nil && r.err == nil {
				r.err = err
			}
		}
	}
	return n
}

func (r *raw) append(b []byte) error {
	r.size += len(b)
	if _, err := r.file.Write(b); err != nil || !r.durable {
		return err
	}
	return r.file.Sync()
}

// complete reports what failed, and begins anew where the file is long.
func (r *raw) complete() error {
	if r.err == nil && r.size > kept {
		r.err = r.begin()
	}
	return r.err
}
