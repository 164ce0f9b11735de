package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// OS returns the file system of the machine.
func OS() FS { return osFS{} }

type osFS struct{}

// osFile is a file with what tells it from every other, where that is asked.
type osFile struct {
	*os.File
	info   fs.FileInfo
	locked bool
	wrote  *int64 // bytes, of one that was created
}

func (f osFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if f.wrote != nil {
		*f.wrote += int64(n)
	}
	return n, err
}

func (f osFile) Close() error {
	if f.locked {
		return errors.Join(unlock(f.File), f.File.Close())
	}
	return f.File.Close()
}

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (osFS) MkdirAll(dir string) error {
	_, err := os.Stat(dir)
	if err == nil {
		// Whoever created it may have crashed before its name was durable.
		if err := syncDir(filepath.Dir(dir)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		return isDir(dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := (osFS{}).MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func isDir(name string) error {
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a folder", name)
	}
	return err
}

func (osFS) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (osFS) Create(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	opened, err := withInfo(f)
	if err != nil {
		return nil, errors.Join(err, os.Remove(name))
	}
	opened.wrote = new(int64)
	return opened, nil
}

// withInfo closes the file where it fails.
func withInfo(f *os.File) (osFile, error) {
	info, err := f.Stat()
	if err != nil {
		return osFile{}, errors.Join(err, f.Close())
	}
	return osFile{File: f, info: info}, nil
}

func (osFS) Open(name string) (File, error) {
	// Who opens a pipe waits for whoever writes to it, and nobody may.
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("it is no regular file")}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return osFile{File: f}, nil
}

func (osFS) Rename(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}

func (osFS) Remove(name string) error { return os.Remove(name) }

// ReadOnly makes a file one that nobody may write, as an archive has it.
func (osFS) ReadOnly(name string) error { return os.Chmod(name, 0o400) }

func (osFS) SyncDir(dir string) error { return syncDir(dir) }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (osFS) Lock(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	opened, err := withInfo(f)
	if err != nil {
		return nil, err
	}
	opened.locked = true
	return opened, nil
}

func (osFS) InPlace(f File, name string) error {
	there, err := os.Stat(name)
	if err != nil {
		return err
	}
	file := f.(osFile)
	switch {
	case !os.SameFile(file.info, there):
		return fmt.Errorf("%s: %w", name, ErrReplaced)
	case file.wrote != nil && there.Size() != *file.wrote:
		return &changedError{name, there.Size(), *file.wrote}
	}
	return nil
}

// changedError is that of a file which somebody else cut or wrote to: what is
// appended to it does not stand where it says. It is ErrReplaced.
type changedError struct {
	name        string
	size, wrote int64
}

func (e *changedError) Error() string {
	return e.name + ": " + e.problem()
}

func (e *changedError) problem() string {
	return fmt.Sprintf("it has %d bytes, and %d were written to it: somebody else changed it", e.size, e.wrote)
}

func (e *changedError) Is(target error) bool { return target == ErrReplaced }
