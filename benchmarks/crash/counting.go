package main

import (
	"regexp"
	"sync"

	"github.com/ambit-go/ambit/rationale/journal"
)

// counting is a file system that knows which decisions were written, and which
// of them an fsync that began afterwards has completed.
type counting struct {
	journal.FS
	mu     sync.Mutex
	synced map[string]bool
}

func newCounting(fs journal.FS) *counting {
	return &counting{FS: fs, synced: make(map[string]bool)}
}

// durable reports whether the record of a decision is behind a completed fsync.
func (c *counting) durable(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.synced[id]
}

// Create returns a file that counts.
func (c *counting) Create(name string) (journal.File, error) {
	f, err := c.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return &countingFile{File: f, disk: c}, nil
}

// InPlace compares the file that is counted.
func (c *counting) InPlace(f journal.File, name string) error {
	if counted, ok := f.(*countingFile); ok {
		f = counted.File
	}
	return c.FS.InPlace(f, name)
}

type countingFile struct {
	journal.File
	disk    *counting
	written []string // decisions since the last fsync
}

// The members of a canonical record are sorted: its id stands before its kind.
var decisionID = regexp.MustCompile(`"id":"([0-9a-f-]{36})","kind":"decision"`)

func (f *countingFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if err == nil {
		f.disk.mu.Lock()
		defer f.disk.mu.Unlock()
		for _, match := range decisionID.FindAllSubmatch(p, -1) {
			f.written = append(f.written, string(match[1]))
		}
	}
	return n, err
}

func (f *countingFile) Sync() error {
	f.disk.mu.Lock()
	before := len(f.written)
	f.disk.mu.Unlock()
	if err := f.File.Sync(); err != nil {
		return err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	for _, id := range f.written[:before] {
		f.disk.synced[id] = true
	}
	f.written = f.written[before:]
	return nil
}
