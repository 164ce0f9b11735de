package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// Reject makes a line of JSON durable that says what could not be delivered. It
// fails as [Follower.Keep] does.
func (f *Follower) Reject(line []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(); err != nil {
		return fmt.Errorf("keep what was rejected: %w", err)
	}
	if err := f.reject(line); err != nil {
		return fmt.Errorf("keep what was rejected: %w", err)
	}
	return nil
}

func (f *Follower) reject(line []byte) error {
	if f.rejected == nil {
		file, err := f.beginRejected()
		if err != nil {
			return err
		}
		f.rejected = file
	}
	err := writeAll(f.rejected, append(slices.Clone(line), '\n'))
	if err == nil {
		err = f.rejected.Sync()
	}
	if err != nil { // what the file has of it is not known: the next goes into another
		return errors.Join(err, f.closeRejected())
	}
	return nil
}

func (f *Follower) beginRejected() (File, error) {
	f.number++
	file, err := f.j.fs.Create(filepath.Join(f.j.dir, fileName(f.name, f.number, rejectedExtension)))
	if err != nil {
		return nil, err
	}
	if err := f.j.fs.SyncDir(f.j.dir); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func (f *Follower) closeRejected() error {
	if f.rejected == nil {
		return nil
	}
	file := f.rejected
	f.rejected = nil
	return file.Close()
}

// Rejected returns the lines that Reject kept, in their order. Some can be there
// twice after a crash.
func (f *Follower) Rejected() ([][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines, _, err := f.readRejected()
	if err != nil {
		return nil, fmt.Errorf("read what was rejected: %w", err)
	}
	return lines, nil
}

func (f *Follower) readRejected() (lines [][]byte, files []string, err error) {
	names, err := f.j.fs.ReadDir(f.j.dir)
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(names)
	for _, file := range names {
		if name, _, ok := parseFileName(file, rejectedExtension); !ok || name != f.name {
			continue
		}
		path := filepath.Join(f.j.dir, file)
		b, err := readFile(f.j.fs, path)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, path)
		for len(b) > 0 {
			line, rest, whole := bytes.Cut(b, []byte("\n"))
			if b = rest; whole && json.Valid(line) { // another was never acknowledged
				lines = append(lines, line)
			}
		}
	}
	return lines, files, nil
}

// SetRejected replaces what was rejected by these lines: those that still are.
func (f *Follower) SetRejected(lines [][]byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(); err != nil {
		return fmt.Errorf("keep what was rejected: %w", err)
	}
	if err := f.replaceRejected(lines); err != nil {
		return fmt.Errorf("keep what was rejected: %w", err)
	}
	return nil
}

func (f *Follower) replaceRejected(lines [][]byte) error {
	_, files, err := f.readRejected()
	if err != nil {
		return err
	}
	if err := f.closeRejected(); err != nil {
		return err
	}
	if len(lines) > 0 {
		if err := f.reject(bytes.Join(lines, []byte("\n"))); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := f.j.fs.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
