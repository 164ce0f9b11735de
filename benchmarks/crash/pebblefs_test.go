package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambit-go/ambit/rationale/journal"
)

// pebbleFS is the file system in memory by which the database pebble is tested
// for crashes, as a journal's file system. Its model of a crash was written by
// others, and differs from that of package crashfs: blocks of 4 KiB, and names
// that appear and disappear each by itself.
type pebbleFS struct {
	vfs.FS
	before func(op string) // is told each call, in advance; may be nil

	mu    sync.Mutex
	files map[string]*int // by name, what tells a file from every other
}

func newPebbleFS(under vfs.FS) *pebbleFS { return &pebbleFS{FS: under, files: make(map[string]*int)} }

func (p *pebbleFS) call(op string) {
	if p.before != nil {
		p.before(op)
	}
}

func (p *pebbleFS) MkdirAll(dir string) error {
	p.call("mkdir")
	if err := p.FS.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		if err := p.sync(parent); err != nil {
			return err
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
	}
}

func (p *pebbleFS) ReadDir(dir string) ([]string, error) {
	p.call("readdir")
	return p.List(dir)
}

// identify returns what tells the file of a name from others, or the file that
// there was. The caller holds p.mu.
func (p *pebbleFS) identify(name string) *int {
	if p.files[name] == nil {
		p.files[name] = new(int)
	}
	return p.files[name]
}

func (p *pebbleFS) exists(name string) bool {
	_, err := p.Stat(name)
	return err == nil
}

func (p *pebbleFS) Create(name string) (journal.File, error) {
	p.call("create")
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exists(name) {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	f, err := p.FS.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	delete(p.files, name)
	return &pebbleFile{f, p, p.identify(name)}, nil
}

func (p *pebbleFS) Open(name string) (journal.File, error) {
	p.call("open")
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return &pebbleFile{f, p, p.identify(name)}, nil
}

func (p *pebbleFS) Rename(from, to string) error {
	p.call("rename")
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exists(to) {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	if err := p.FS.Rename(from, to); err != nil {
		return err
	}
	p.files[to] = p.files[from]
	delete(p.files, from)
	return nil
}

func (p *pebbleFS) Remove(name string) error {
	p.call("remove")
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.files, name)
	return p.FS.Remove(name)
}

func (p *pebbleFS) SyncDir(dir string) error {
	p.call("syncdir")
	return p.sync(dir)
}

func (p *pebbleFS) sync(dir string) error {
	d, err := p.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (p *pebbleFS) Lock(name string) (journal.File, error) {
	p.call("lock")
	p.mu.Lock()
	defer p.mu.Unlock()
	closer, err := p.FS.Lock(name)
	if errors.Is(err, syscall.EAGAIN) {
		return nil, journal.ErrLocked
	}
	if err != nil {
		return nil, err
	}
	return lockFile{Closer: closer, identity: p.identify(name)}, nil
}

func (p *pebbleFS) InPlace(f journal.File, name string) error {
	p.call("inplace")
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.exists(name) {
		return &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	if p.identify(name) != f.(interface{ id() *int }).id() {
		return fmt.Errorf("%s: %w", name, journal.ErrReplaced)
	}
	return nil
}

type pebbleFile struct {
	vfs.File
	fs       *pebbleFS
	identity *int
}

func (f *pebbleFile) id() *int { return f.identity }

func (f *pebbleFile) Write(b []byte) (int, error) {
	f.fs.call("write")
	return f.File.Write(bytes.Clone(b)) // under the race detector it changes what it was given
}

func (f *pebbleFile) Sync() error {
	f.fs.call("sync")
	return f.File.Sync()
}

func (f *pebbleFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// lockFile is a lock: nothing is read from it or written to it.
type lockFile struct {
	journal.File
	io.Closer
	identity *int
}

func (f lockFile) id() *int     { return f.identity }
func (f lockFile) Close() error { return f.Closer.Close() }
