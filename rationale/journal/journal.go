// Package journal keeps records in a folder, as JSON lines with a hash chain.
//
// What it promises: [Journal.Append] returns nil only after the records were
// written and fsynced, so what was acknowledged survives the end of the process
// and of the machine. Each process writes a file of its own, named by the
// journal's id, and every reader takes all the files of the folder. A line that
// was edited, removed or moved is found and located by [Read]. After a failed
// write or fsync, or when the file was removed or replaced, the journal refuses every
// further record, so that a guard denies instead of acting without evidence.
//
// What it does not promise: lines removed from the end of a file leave no trace
// in the file itself (compare [Journal.Head] with one kept elsewhere). Records
// of one Append are not atomic: a crash in the middle can leave the first of them. Files
// are never rotated, compacted or deleted, each Append costs its own fsync, a
// folder is not locked, and nothing is repaired: a torn last line stays, and is
// reported. Records are not encrypted; the folder is private to its owner.
package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Extension is how the names of journal files end.
const Extension = ".jsonl"

// ErrClosed is returned by an Append after Close.
var ErrClosed = errors.New("the journal is closed")

// file is what a journal needs of an *os.File.
type file interface {
	io.Writer
	Sync() error
	Close() error
	Stat() (fs.FileInfo, error)
}

// Journal appends records to one file. Its methods are safe for concurrent use.
type Journal struct {
	id   string
	path string

	mu    sync.Mutex
	file  file
	chain *rationale.Chain
	err   error // why nothing can be appended any more
}

// Open creates the folder where it does not exist (mode 0700, with its parents) and a new
// journal file in it (mode 0600), and fsyncs the folder. The caller closes the
// journal.
func Open(dir string) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	id := rationale.NewID(time.Now())
	path := filepath.Join(dir, id+Extension)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", err), f.Close())
	}
	return &Journal{id: id, path: path, file: f, chain: rationale.NewChain(id)}, nil
}

// syncDir makes the new file's name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ID returns the journal's id, a UUIDv7 of the time it was opened.
func (j *Journal) ID() string { return j.id }

// Path returns the journal's file.
func (j *Journal) Path() string { return j.path }

// Head returns the end of the chain: what was acknowledged so far.
func (j *Journal) Head() rationale.Head {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.chain.Head()
}

// Append writes the records, in order, and returns nil once they are durable.
//
// A record that cannot be encoded, and a context that is done before the write
// begins, are errors that leave the journal as it was; once begun, the write is
// not interrupted. A failed write or fsync, and a file that was removed or
// replaced, are final: this and every later Append fails with that error, because what the
// disk then holds is unknown. Without records Append only reports whether the
// journal still works.
func (j *Journal) Append(ctx context.Context, recs ...rationale.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return fmt.Errorf("append to journal: %w", j.err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("append to journal: %w", err)
	}
	chain := *j.chain // kept only if all goes well
	var lines []byte
	for _, rec := range recs {
		line, err := chain.Append(rec)
		if err != nil {
			return fmt.Errorf("append to journal: %w", err)
		}
		lines = append(lines, line...)
	}
	if err := j.persist(lines); err != nil {
		j.err = err
		return fmt.Errorf("append to journal: %w", err)
	}
	j.chain = &chain
	return nil
}

func (j *Journal) persist(lines []byte) error {
	if len(lines) > 0 {
		if n, err := j.file.Write(lines); err != nil {
			return err
		} else if n != len(lines) {
			return io.ErrShortWrite
		}
		if err := j.file.Sync(); err != nil {
			return err
		}
	}
	return j.inPlace()
}

// inPlace finds out whether the file that is written to is still the one that
// readers will find.
func (j *Journal) inPlace() error {
	open, err := j.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(j.path)
	if err != nil {
		return fmt.Errorf("the journal's file was removed: %w", err)
	}
	if !os.SameFile(open, there) {
		return errors.New("the journal's file was replaced")
	}
	return nil
}

// Close closes the file; what was appended is already durable. Every later
// Append returns [ErrClosed]; a second Close returns nil.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(j.err, ErrClosed) {
		return nil
	}
	j.err = ErrClosed
	return j.file.Close()
}
