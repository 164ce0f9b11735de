package simulate

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale/journal"
)

const folder = "/evidence"

// errDead is what a process gets of its disk that has ended.
var errDead = errors.New("the process has ended")

// disk is the file system as one process sees it: each call that changes
// something parks before it is made, and none is made once the process has ended.
type disk struct {
	*crashfs.FS
	s    *scheduler
	life *life

	mu   sync.Mutex
	dead bool
	part int // how many bytes still get through of a write that was under way
}

// trouble is what is wrong with a disk.
type trouble string

const (
	healthy trouble = ""
	full    trouble = "the disk is full"
	flaky   trouble = "fsync fails"
	lossy   trouble = "fsync fails, and the kernel forgets"
	broken  trouble = "the disk fails"
)

// inject makes the machine's disk fail.
func inject(fs *crashfs.FS, what trouble, r *rand.Rand) {
	written := r.IntN(400)
	fs.Inject(func(c crashfs.Call) crashfs.Fault {
		switch {
		case what == full && (c.Op == "write" || c.Op == "create"):
			return crashfs.Fault{Err: syscall.ENOSPC, Written: written}
		case (what == flaky || what == lossy) && c.Op == "sync":
			return crashfs.Fault{Err: syscall.EIO, Lost: what == lossy}
		case what == broken && c.Op != "close" && c.Op != "lock":
			return crashfs.Fault{Err: syscall.EIO, Written: written}
		}
		return crashfs.Fault{}
	})
}

// at is called before each call that changes something.
func (d *disk) at(op, name string) error {
	if err := d.alive(); err != nil {
		return err
	}
	d.s.park(nil, d.life, op+" "+filepath.Base(name))
	return d.alive()
}

func (d *disk) alive() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return errDead
	}
	return nil
}

// end ends the process. A write that is parked may get through in part.
func (d *disk) end(part int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead, d.part = true, part
}

func (d *disk) MkdirAll(name string) error {
	if err := d.at("create folder", name); err != nil {
		return err
	}
	return d.FS.MkdirAll(name)
}

func (d *disk) Create(name string) (journal.File, error) {
	if err := d.at("create", name); err != nil {
		return nil, err
	}
	return d.wrap(d.FS.Create(name))
}

func (d *disk) Open(name string) (journal.File, error) {
	if err := d.alive(); err != nil {
		return nil, err
	}
	return d.wrap(d.FS.Open(name))
}

func (d *disk) Lock(name string) (journal.File, error) {
	if err := d.alive(); err != nil {
		return nil, err
	}
	return d.wrap(d.FS.Lock(name))
}

func (d *disk) Rename(from, to string) error {
	if err := d.at("rename", from); err != nil {
		return err
	}
	return d.FS.Rename(from, to)
}

func (d *disk) Remove(name string) error {
	if err := d.at("remove", name); err != nil {
		return err
	}
	return d.FS.Remove(name)
}

func (d *disk) SyncDir(name string) error {
	if err := d.at("sync folder", name); err != nil {
		return err
	}
	return d.FS.SyncDir(name)
}

func (d *disk) InPlace(f journal.File, name string) error {
	if err := d.alive(); err != nil {
		return err
	}
	return d.FS.InPlace(f.(*diskFile).File, name)
}

func (d *disk) wrap(f journal.File, err error) (journal.File, error) {
	if err != nil {
		return nil, err
	}
	return &diskFile{File: f, d: d}, nil
}

// diskFile is an open file of a disk.
type diskFile struct {
	journal.File
	d *disk
}

func (f *diskFile) Write(p []byte) (int, error) {
	if err := f.d.alive(); err != nil {
		return 0, err
	}
	if err := f.d.at("write", "the segment"); err != nil {
		if part := min(f.d.part, len(p)); part > 0 {
			_, _ = f.File.Write(p[:part])
		}
		return 0, err
	}
	return f.File.Write(p)
}

func (f *diskFile) Sync() error {
	if err := f.d.at("sync", "the segment"); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *diskFile) Close() error {
	if f.d.alive() != nil {
		return nil // the end of the process closed it
	}
	return f.File.Close()
}
