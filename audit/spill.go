package audit

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

const (
	// memoryOfSort is how much of what is sorted lies in memory at a time.
	memoryOfSort = 16 << 20
	// maxMerged is how many runs are merged at a time: each is an open file, with a buffer.
	maxMerged = 64
)

// disk is a folder of temporary files, and the memory of sorters that are done.
// It is safe for concurrent use.
type disk struct {
	dir string

	mu   sync.Mutex
	free [][]byte
}

func (d *disk) create(name string) (*os.File, error) { return os.CreateTemp(d.dir, name) }

// buffer returns memory for a sorter that has more than a little to sort.
func (d *disk) buffer() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.free); n > 0 {
		b := d.free[n-1]
		d.free = d.free[:n-1]
		return b
	}
	return make([]byte, 0, memoryOfSort)
}

func (d *disk) giveBack(b []byte) {
	if cap(b) < memoryOfSort {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free = append(d.free, b[:0])
}

// sorter sorts rows by key, on disk what does not fit: however many there are,
// it needs the same memory. Rows of one key come out in the order of their
// values. It serves one goroutine.
type sorter struct {
	disk *disk
	buf  []byte
	rows []rowAt
	runs []sortedRun // those that were merged more often first
	n    int
}

// sortedRun is sorted rows in a file.
type sortedRun struct {
	file   *os.File
	merged int // how often: it has the rows of maxMerged of those that were once less often
}

// rowAt is a row in sorter.buf. The first bytes of its key spare most looks at
// the rest.
type rowAt struct {
	prefix          uint64
	start, mid, end uint32
}

func newSorter(disk *disk) *sorter { return &sorter{disk: disk} }

func (s *sorter) add(key, row []byte) error {
	if len(s.rows) > 0 && len(s.buf)+len(key)+len(row) > memoryOfSort {
		if err := s.spill(); err != nil {
			return err
		}
	}
	start := len(s.buf)
	if len(s.buf)+len(key)+len(row) > cap(s.buf) {
		s.grow(len(key) + len(row))
	}
	s.buf = append(append(s.buf, key...), row...)
	s.rows = append(s.rows, rowAt{prefixOf(key), uint32(start), uint32(start + len(key)), uint32(len(s.buf))})
	s.n++
	return nil
}

// littleToSort is up to which size a sorter has memory of its own.
const littleToSort = 256 << 10

// grow makes room for n more bytes. What is longer than memoryOfSort alone gets
// what it needs.
func (s *sorter) grow(n int) {
	need := len(s.buf) + n
	if need <= littleToSort || need > memoryOfSort {
		s.buf = slices.Grow(s.buf, max(n, len(s.buf)))
		return
	}
	s.buf = append(s.disk.buffer(), s.buf...)
}

func prefixOf(key []byte) uint64 {
	var first [8]byte
	copy(first[:], key)
	return binary.BigEndian.Uint64(first[:])
}

func (s *sorter) sort() {
	slices.SortFunc(s.rows, func(a, b rowAt) int {
		if a.prefix != b.prefix {
			if a.prefix < b.prefix {
				return -1
			}
			return 1
		}
		if c := bytes.Compare(s.buf[a.start:a.mid], s.buf[b.start:b.mid]); c != 0 {
			return c
		}
		return bytes.Compare(s.buf[a.mid:a.end], s.buf[b.mid:b.end])
	})
}

// spill writes what is in memory as a sorted run.
func (s *sorter) spill() error {
	s.sort()
	file, err := s.disk.create("run-")
	if err != nil {
		return err
	}
	s.runs = append(s.runs, sortedRun{file: file})
	w := newRowWriter(file)
	for _, r := range s.rows {
		if err := w.write(s.buf[r.start:r.mid], s.buf[r.mid:r.end]); err != nil {
			return err
		}
	}
	s.buf, s.rows = s.buf[:0], s.rows[:0]
	if err := w.flush(); err != nil {
		return err
	}
	return s.fold()
}

// fold merges the last maxMerged runs, while they were merged equally often: so there are
// a few times maxMerged however many rows there are, and each is written again seldom.
func (s *sorter) fold() error {
	for n := len(s.runs) - maxMerged; n >= 0 && s.runs[n].merged == s.runs[len(s.runs)-1].merged; n = len(s.runs) - maxMerged {
		file, err := s.disk.create("run-")
		if err != nil {
			return err
		}
		last := slices.Clone(s.runs[n:])
		s.runs = append(s.runs, sortedRun{file: file}) // for drop, if this fails
		next, err := mergeRuns(last)
		if err != nil {
			return err
		}
		w := newRowWriter(file)
		if err := eachOf(next, w.write); err != nil {
			return err
		}
		if err := w.flush(); err != nil {
			return err
		}
		s.runs = append(s.runs[:n], sortedRun{file, last[0].merged + 1})
		removeRuns(last)
	}
	return nil
}

func removeRuns(runs []sortedRun) {
	for _, r := range runs {
		r.file.Close()
		os.Remove(r.file.Name())
	}
}

// each calls f with every row in order, once, and then lets go of them all.
func (s *sorter) each(f func(key, row []byte) error) error {
	next, done, err := s.cursor()
	if err != nil {
		return err
	}
	defer done()
	return eachOf(next, f)
}

// eachOf calls f with what next returns, until io.EOF.
func eachOf(next func() (key, row []byte, err error), f func(key, row []byte) error) error {
	for {
		key, row, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(key, row); err != nil {
			return err
		}
	}
}

// cursor returns a function that returns one row after the other, valid until
// the next call, and io.EOF after the last.
func (s *sorter) cursor() (next func() (key, row []byte, err error), done func(), err error) {
	if len(s.runs) == 0 {
		s.sort()
		i := 0
		return func() ([]byte, []byte, error) {
			if i == len(s.rows) {
				return nil, nil, io.EOF
			}
			r := s.rows[i]
			i++
			return s.buf[r.start:r.mid], s.buf[r.mid:r.end], nil
		}, s.drop, nil
	}
	if len(s.rows) > 0 {
		if err := s.spill(); err != nil {
			return nil, s.drop, err
		}
	}
	s.disk.giveBack(s.buf)
	s.buf, s.rows = nil, nil
	next, err = mergeRuns(s.runs)
	return next, s.drop, err
}

// mergeRuns returns a function that returns the rows of runs in order, as
// sorter.cursor does.
func mergeRuns(runs []sortedRun) (next func() (key, row []byte, err error), err error) {
	var m merge
	for _, one := range runs {
		r, err := readRows(one.file)
		if err != nil {
			return nil, err
		}
		if err := r.next(); err != nil {
			return nil, err
		}
		m = append(m, r)
	}
	heap.Init(&m)
	first := true
	return func() ([]byte, []byte, error) {
		if !first {
			if err := m.advance(); err != nil {
				return nil, nil, err
			}
		}
		first = false
		if len(m) == 0 {
			return nil, nil, io.EOF
		}
		return m[0].key, m[0].row, nil
	}, nil
}

func (s *sorter) drop() {
	removeRuns(s.runs)
	s.disk.giveBack(s.buf)
	*s = sorter{disk: s.disk}
}

// merge is the runs that are not at their end, the one with the least row first.
type merge []*rowReader

func (m merge) Len() int      { return len(m) }
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m merge) Less(i, j int) bool {
	if c := bytes.Compare(m[i].key, m[j].key); c != 0 {
		return c < 0
	}
	return bytes.Compare(m[i].row, m[j].row) < 0
}
func (m *merge) Push(x any) { *m = append(*m, x.(*rowReader)) }
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// advance goes past the least row.
func (m *merge) advance() error {
	switch err := (*m)[0].next(); {
	case errors.Is(err, io.EOF):
		heap.Pop(m)
	case err != nil:
		return err
	default:
		heap.Fix(m, 0)
	}
	return nil
}

// rowWriter writes rows one after the other.
type rowWriter struct {
	out  *bufio.Writer
	head []byte
}

func newRowWriter(w io.Writer) *rowWriter { return &rowWriter{out: bufio.NewWriterSize(w, 64<<10)} }

func (w *rowWriter) write(key, row []byte) error {
	w.head = binary.AppendUvarint(w.head[:0], uint64(len(key)))
	w.head = binary.AppendUvarint(w.head, uint64(len(row)))
	for _, part := range [][]byte{w.head, key, row} {
		if _, err := w.out.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func (w *rowWriter) flush() error { return w.out.Flush() }

// rowReader reads what a rowWriter wrote.
type rowReader struct {
	in       *bufio.Reader
	both     []byte
	key, row []byte
}

func readRows(file *os.File) (*rowReader, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return &rowReader{in: bufio.NewReaderSize(file, 64<<10)}, nil
}

// next reads a row into key and row; io.EOF after the last.
func (r *rowReader) next() error {
	k, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err
	}
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return fmt.Errorf("a temporary file: %w", io.ErrUnexpectedEOF)
	}
	size := int(k + n)
	r.both = slices.Grow(r.both[:0], size)[:size]
	if _, err := io.ReadFull(r.in, r.both); err != nil {
		return fmt.Errorf("a temporary file: %w", io.ErrUnexpectedEOF)
	}
	r.key, r.row = r.both[:k], r.both[k:]
	return nil
}
