// Package crashfs is a file system in memory that fails and crashes as it is
// told, to test what [journal] promises.
//
// It keeps apart what a disk has and what only the kernel has. Sync moves a
// file's bytes to the disk, SyncDir a folder's names. [FS.Crash] returns a file system
// as a machine may find it after a power failure: of the bytes that were not
// synced each sector is there, or zero, or cut off; of the names that were not
// synced the later changes are missing.
package crashfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ambit-go/ambit/rationale/journal"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// Call is one call of the file system.
type Call struct {
	N    int    // from 1
	Op   string // mkdir, readdir, create, open, rename, remove, syncdir, lock, inplace, write, read, sync, size, close
	Name string
}

func (c Call) String() string { return fmt.Sprintf("call %d: %s %s", c.N, c.Op, filepath.Base(c.Name)) }

// Fault is what happens instead of a call. The zero Fault lets it be.
type Fault struct {
	Err error
	// Written is how many bytes a write writes before it fails.
	Written int
	// Lost makes a sync that fails forget what it should have written, as
	// kernels do: the pages count as clean, and show what the disk never got.
	Lost bool
}

// FS is such a file system. Make one with New. It is safe for concurrent use.
type FS struct {
	mu     sync.Mutex
	dirs   map[string]*dir
	calls  int
	inject func(Call) Fault
	log    []Call
	logged bool
}

// dir has a folder's names as the kernel and as the disk have them, and the
// changes between.
type dir struct {
	names, disk map[string]*inode
	changes     []change
}

type change struct {
	name string
	to   *inode // nil: removed
	gone string // the name that it had before
}

// inode is a file.
type inode struct {
	data   []byte // as the kernel has it
	disk   []byte // as the disk has it
	locked bool
}

// New returns an empty file system.
func New() *FS { return &FS{dirs: map[string]*dir{"/": newDir()}} }

func newDir() *dir { return &dir{names: make(map[string]*inode), disk: make(map[string]*inode)} }

// Inject asks f about every call from here on; nil stops it.
func (f *FS) Inject(inject func(Call) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inject = inject
}

// Calls returns how many calls there were.
func (f *FS) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Log begins to keep the calls, and returns those kept since the last Log.
func (f *FS) Log() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.log
	f.log, f.logged = nil, true
	return log
}

// call counts a call and returns what happens to it. The caller holds f.mu.
func (f *FS) call(op, name string) Fault {
	f.calls++
	c := Call{f.calls, op, name}
	if f.logged {
		f.log = append(f.log, c)
	}
	if f.inject == nil {
		return Fault{}
	}
	return f.inject(c)
}

func pathError(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// MkdirAll creates a folder with its parents, durably.
func (f *FS) MkdirAll(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.call("mkdir", name); x.Err != nil {
		return pathError("mkdir", name, x.Err)
	}
	for ; f.dirs[name] == nil; name = filepath.Dir(name) {
		f.dirs[name] = newDir()
	}
	return nil
}

// ReadDir returns the names in a folder.
func (f *FS) ReadDir(name string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.call("readdir", name); x.Err != nil {
		return nil, pathError("readdir", name, x.Err)
	}
	d := f.dirs[name]
	if d == nil {
		if f.find(name) != nil {
			return nil, pathError("readdir", name, errors.New("not a folder"))
		}
		return nil, pathError("readdir", name, fs.ErrNotExist)
	}
	var names []string
	for n := range d.names {
		names = append(names, n)
	}
	for n := range f.dirs {
		if n != name && filepath.Dir(n) == name {
			names = append(names, filepath.Base(n))
		}
	}
	slices.Sort(names)
	return names, nil
}

func (f *FS) find(name string) *inode {
	if d := f.dirs[filepath.Dir(name)]; d != nil {
		return d.names[filepath.Base(name)]
	}
	return nil
}

// set changes a name for the kernel. The caller holds f.mu.
func (f *FS) set(name string, to *inode, gone string) {
	d := f.dirs[filepath.Dir(name)]
	c := change{filepath.Base(name), to, gone}
	c.apply(d.names)
	d.changes = append(d.changes, c)
}

func (c change) apply(names map[string]*inode) {
	if c.to == nil {
		delete(names, c.name)
		return
	}
	names[c.name] = c.to
	delete(names, c.gone)
}

// Create creates a file.
func (f *FS) Create(name string) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.call("create", name); x.Err != nil {
		return nil, pathError("create", name, x.Err)
	}
	switch {
	case f.dirs[filepath.Dir(name)] == nil:
		return nil, pathError("create", name, fs.ErrNotExist)
	case f.find(name) != nil:
		return nil, pathError("create", name, fs.ErrExist)
	}
	n := &inode{}
	f.set(name, n, "")
	return &file{fs: f, name: name, inode: n, writable: true}, nil
}

// Open opens a file for reading.
func (f *FS) Open(name string) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.call("open", name); x.Err != nil {
		return nil, pathError("open", name, x.Err)
	}
	n := f.find(name)
	if n == nil {
		return nil, pathError("open", name, fs.ErrNotExist)
	}
	return &file{fs: f, name: name, inode: n}, nil
}

// Rename gives a file a new name.
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.call("rename", from); x.Err != nil {
		return pathError("rename", from, x.Err)
	}
	n := f.find(from)
	switch {
	case n == nil:
		return pathError("rename", from, fs.ErrNotExist)
	case f.find(to) != nil:
		return pathError("rename", to, fs.ErrExist)
	}
	f.set(to, n, filepath.Base(from))
	return nil
}

// Remove removes a file.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.call("remove", name); x.Err != nil {
		return pathError("remove", name, x.Err)
	}
	if f.find(name) == nil {
		return pathError("remove", name, fs.ErrNotExist)
	}
	f.set(name, nil, "")
	return nil
}

// SyncDir makes names durable.
func (f *FS) SyncDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.call("syncdir", name); x.Err != nil {
		return pathError("sync", name, x.Err)
	}
	d := f.dirs[name]
	if d == nil {
		return pathError("sync", name, fs.ErrNotExist)
	}
	d.apply(len(d.changes))
	return nil
}

// apply moves the first n changes to the disk.
func (d *dir) apply(n int) {
	for _, c := range d.changes[:n] {
		c.apply(d.disk)
	}
	d.changes = d.changes[n:]
}

// Lock takes a lock.
func (f *FS) Lock(name string) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.call("lock", name); x.Err != nil {
		return nil, pathError("lock", name, x.Err)
	}
	n := f.find(name)
	if n == nil {
		if f.dirs[filepath.Dir(name)] == nil {
			return nil, pathError("lock", name, fs.ErrNotExist)
		}
		n = &inode{}
		f.set(name, n, "")
	}
	if n.locked {
		return nil, journal.ErrLocked
	}
	n.locked = true
	return &file{fs: f, name: name, inode: n, lock: true}, nil
}

// InPlace compares a file with the one of a name.
func (f *FS) InPlace(open journal.File, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.call("inplace", name); x.Err != nil {
		return pathError("stat", name, x.Err)
	}
	n := f.find(name)
	switch {
	case n == nil:
		return pathError("stat", name, fs.ErrNotExist)
	case n != open.(*file).inode:
		return journal.ErrReplaced
	}
	return nil
}

// file is an open file.
type file struct {
	fs       *FS
	name     string
	inode    *inode
	writable bool
	lock     bool
	closed   bool
}

func (f *file) Write(p []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	x := f.fs.call("write", f.name)
	if f.closed || !f.writable {
		return 0, pathError("write", f.name, fs.ErrClosed)
	}
	n := len(p)
	if x.Err != nil || x.Written > 0 {
		n = min(n, x.Written)
	}
	f.inode.data = append(f.inode.data, p[:n]...)
	if x.Err != nil {
		return n, pathError("write", f.name, x.Err)
	}
	return n, nil
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if x := f.fs.call("read", f.name); x.Err != nil {
		return 0, pathError("read", f.name, x.Err)
	}
	if off >= int64(len(f.inode.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.inode.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	x := f.fs.call("sync", f.name)
	if f.closed {
		return pathError("sync", f.name, fs.ErrClosed)
	}
	n := f.inode
	if x.Err != nil {
		if x.Lost {
			n.disk = append(n.disk, make([]byte, len(n.data)-len(n.disk))...)
		}
		return pathError("sync", f.name, x.Err)
	}
	n.flush()
	return nil
}

// flush writes what the kernel thinks is not written.
func (n *inode) flush() {
	n.disk = append(n.disk, n.data[min(len(n.disk), len(n.data)):]...)
}

func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if x := f.fs.call("size", f.name); x.Err != nil {
		return 0, pathError("stat", f.name, x.Err)
	}
	return int64(len(f.inode.data)), nil
}

func (f *file) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	x := f.fs.call("close", f.name)
	if f.lock {
		f.inode.locked = false
	}
	f.closed = true
	if x.Err != nil {
		return pathError("close", f.name, x.Err)
	}
	return nil
}

// Unlock releases every lock, as the end of the process does.
func (f *FS) Unlock() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.dirs {
		for _, n := range d.names {
			n.locked = false
		}
	}
}

// Crash returns what a machine may find after a power failure, as r draws it.
// The file system itself is not changed.
func (f *FS) Crash(r *rand.Rand) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	after := New()
	for _, name := range slices.Sorted(keys(f.dirs)) {
		d := f.dirs[name]
		survived := &dir{disk: make(map[string]*inode)}
		for n, i := range d.disk {
			survived.disk[n] = i
		}
		survived.changes = slices.Clone(d.changes)
		survived.apply(r.IntN(len(d.changes) + 1))
		now := newDir()
		for _, n := range slices.Sorted(keys(survived.disk)) {
			i := &inode{disk: survived.disk[n].crash(r)}
			i.data = slices.Clone(i.disk)
			now.names[n], now.disk[n] = i, i
		}
		after.dirs[name] = now
	}
	return after
}

func keys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// crash draws what the disk has of a file.
func (n *inode) crash(r *rand.Rand) []byte {
	durable := len(n.disk)
	if durable >= len(n.data) {
		return slices.Clone(n.disk)
	}
	size := durable + r.IntN(len(n.data)-durable+1)
	switch r.IntN(3) {
	case 0:
		size = durable
	case 1:
		size = len(n.data)
	}
	kept := make([]byte, size)
	copy(kept, n.disk)
	all := r.IntN(4) == 0
	for from := durable; from < size; {
		to := min(size, (from/sector+1)*sector)
		if all || r.IntN(2) == 0 {
			copy(kept[from:to], n.data[from:to])
		}
		from = to
	}
	return kept
}

// Files returns the content of the files of a folder, as the kernel has it.
func (f *FS) Files(name string) map[string][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	files := make(map[string][]byte)
	if d := f.dirs[name]; d != nil {
		for n, i := range d.names {
			files[n] = slices.Clone(i.data)
		}
	}
	return files
}

// Put writes a file, durably, whatever was there.
func (f *FS) Put(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	parent := filepath.Dir(name)
	if f.dirs[parent] == nil {
		f.dirs[parent] = newDir()
	}
	n := &inode{data: slices.Clone(data), disk: slices.Clone(data)}
	f.dirs[parent].names[filepath.Base(name)] = n
	f.dirs[parent].disk[filepath.Base(name)] = n
}
