package journal

import (
	"errors"
	"io"
)

// FS is what a journal needs of a file system. [OS] is the machine's; a test may
// give another with [WithFS], to fail or to crash at any call. Paths are those of
// package filepath. An implementation must be safe for concurrent use.
type FS interface {
	// MkdirAll creates a folder that only its owner may enter, with its
	// parents, and makes their names durable. One that exists is no error.
	MkdirAll(dir string) error
	// ReadDir returns the names in a folder, in any order.
	ReadDir(dir string) ([]string, error)
	// Create creates a file for appending that only its owner may read; one
	// that exists is an error. Its name is durable after SyncDir.
	Create(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (File, error)
	// Rename gives a file a new name in its folder, which must be free.
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes the names in a folder durable.
	SyncDir(dir string) error
	// Lock takes the exclusive lock that a file stands for, and creates the
	// file where there is none. It does not wait: while another holds the lock,
	// the error is ErrLocked. Closing the file releases the lock.
	Lock(name string) (File, error)
	// InPlace returns nil if the name still leads to the file, and an error
	// that is ErrReplaced, or one of package fs, if not. That of [OS] is ErrReplaced
	// also where a created file is not as long as what was written to it.
	InPlace(f File, name string) error
}

// File is an open file of an [FS].
type File interface {
	io.Writer // appends
	io.ReaderAt
	Sync() error
	Size() (int64, error)
	Close() error
}

// Errors of opening and appending.
var (
	ErrLocked   = errors.New("another process has the journal open")
	ErrReplaced = errors.New("another file has taken its place")
	// ErrClosed is the error of an append after Close.
	ErrClosed = errors.New("the journal is closed")
	// ErrUncertain is the error of an append that the caller stopped waiting for
	// while it was being written: its records may become durable, or not.
	ErrUncertain = errors.New("the records may or may not become durable")
)
