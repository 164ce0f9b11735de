package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// How the files beside an object in a folder end.
const (
	partialSuffix = ".partial" // it is being written; removed by the next Put
	untilSuffix   = ".until"   // one line: until when the object is to stay, RFC 3339
)

// FolderArchive is an [Archive] in a folder: a folder for each journal, whose
// segments [Read] and [Verify] read beside the journal's own. Files are
// read-only, and a file with the ending ".until" beside each says how long it is
// to stay. That is a lock against mistakes. Against people it is one only where
// the folder lies on a medium that enforces it.
type FolderArchive struct {
	fs  FS
	dir string
}

// OpenFolderArchive returns the archive of a folder, which the first Put
// creates, with its parents. Of the options, WithFS counts.
func OpenFolderArchive(dir string, opts ...Option) *FolderArchive {
	return &FolderArchive{fs: configure(opts).fs, dir: dir}
}

// Put implements [Archive].
func (a *FolderArchive) Put(ctx context.Context, name string, data []byte, until time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := a.path(name)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := a.fs.MkdirAll(dir); err != nil {
		return err
	}
	switch taken, err := exists(a.fs, path); {
	case err != nil:
		return err
	case taken:
		return ErrArchived
	}
	// The lock comes first: an object is never without.
	line := until.UTC().Format(time.RFC3339) + "\n"
	if err := a.write(path+untilSuffix, []byte(line)); err != nil {
		return err
	}
	return a.write(path, data)
}

// write makes a file, all of it or nothing. One that exists is an error for an
// object, and replaced where it only stands beside one that is not there yet.
func (a *FolderArchive) write(path string, data []byte) error {
	partial := path + partialSuffix
	if err := a.remove(partial); err != nil {
		return err
	}
	f, err := a.fs.Create(partial)
	if err != nil {
		return err
	}
	if err := errors.Join(writeAll(f, data), f.Sync(), f.Close()); err != nil {
		return err
	}
	back, err := readFile(a.fs, partial)
	if err != nil {
		return err
	}
	if string(back) != string(data) {
		return fmt.Errorf("%s: what was written does not read back", partial)
	}
	if f, ok := a.fs.(interface{ ReadOnly(name string) error }); ok {
		if err := f.ReadOnly(partial); err != nil {
			return err
		}
	}
	if strings.HasSuffix(path, untilSuffix) {
		if err := a.remove(path); err != nil {
			return err
		}
	}
	if err := a.fs.Rename(partial, path); err != nil {
		return err
	}
	return a.fs.SyncDir(filepath.Dir(path))
}

func (a *FolderArchive) remove(path string) error {
	if err := a.fs.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// exists reports whether a file can be opened.
func exists(files FS, path string) (bool, error) {
	f, err := files.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, f.Close()
}

// Open implements [Archive].
func (a *FolderArchive) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := a.path(name)
	if err != nil {
		return nil, err
	}
	f, err := a.fs.Open(path)
	if err != nil {
		return nil, err
	}
	// A Put that was interrupted may have left a name that is not durable.
	if err := a.fs.SyncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	size, err := f.Size()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, 0, size), f}, nil
}

// List implements [Archive]. An object whose lock cannot be read has the zero
// Until.
func (a *FolderArchive) List(ctx context.Context) ([]ArchiveObject, error) {
	journals, err := a.fs.ReadDir(a.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var objects []ArchiveObject
	for _, journal := range journals {
		if !isJournalID(journal) {
			continue
		}
		names, err := a.fs.ReadDir(filepath.Join(a.dir, journal))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if _, aside, ok := parseName(name); ok && !aside {
				objects = append(objects, ArchiveObject{journal + "/" + name, a.until(journal, name)})
			}
		}
	}
	return objects, ctx.Err()
}

func (a *FolderArchive) until(journal, name string) time.Time {
	data, err := readFile(a.fs, filepath.Join(a.dir, journal, name+untilSuffix))
	if err != nil {
		return time.Time{}
	}
	until, _ := time.Parse(time.RFC3339, strings.TrimSpace(string(data)))
	return until
}

// path returns where an object lies. Only names of segments are any.
func (a *FolderArchive) path(name string) (string, error) {
	journal, segment, _ := strings.Cut(name, "/")
	if _, aside, ok := parseName(segment); !ok || aside || !isJournalID(journal) {
		return "", fmt.Errorf("%q is no name of a segment in an archive: want JOURNAL/00000001%s", name, Extension)
	}
	return filepath.Join(a.dir, journal, segment), nil
}

func isJournalID(name string) bool {
	_, err := uuidBytes(name)
	return err == nil
}

// expand puts the folders of journals in the place of archives.
func expand(fsys FS, paths []string) []string {
	var all []string
	for _, path := range paths {
		all = append(all, path)
		names, err := fsys.ReadDir(path)
		if err != nil {
			continue // said by whoever reads it
		}
		var within []string
		for _, name := range names {
			in := filepath.Join(path, name)
			if !isJournalID(name) {
				continue
			}
			if held, err := list(fsys, in); err != nil || len(held) > 0 {
				within = append(within, in)
			}
		}
		if len(within) > 0 {
			if own, err := list(fsys, path); err == nil && len(own) == 0 {
				all = all[:len(all)-1]
			}
			all = append(all, within...)
		}
	}
	return all
}
