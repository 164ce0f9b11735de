package journal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Archive keeps copies of closed segments, each under a retention lock.
// [FolderArchive] is one; an object store with a lock is another, see
// docs/evidence.md. An implementation must be safe for concurrent use.
type Archive interface {
	// Put stores an object under a name that is free, and returns nil once it is
	// durable and locked: nobody can change or remove it before that time. It
	// never replaces an object: a name that is taken is ErrArchived, whatever
	// lies there. After any other error the name is free, or holds all of data.
	Put(ctx context.Context, name string, data []byte, until time.Time) error
	// Open returns an object for reading, which is durable and locked then, also
	// after a Put that failed; fs.ErrNotExist where there is none.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// List returns the objects, in any order.
	List(ctx context.Context) ([]ArchiveObject, error)
}

// ArchiveObject is a copy in an archive.
type ArchiveObject struct {
	Name  string // JOURNAL/00000001.seg
	Until time.Time
}

var (
	// ErrArchived is the error of a Put under a name that is taken.
	ErrArchived = errors.New("the archive has an object of that name")
	// ErrDiffers is the error of a segment that the archive has another copy of.
	ErrDiffers = errors.New("the archive has another file under its name")
)

// Archived is what one run did.
type Archived struct {
	Copied  []Segment // in this run
	Present []Segment // the archive had them already, byte for byte
}

// ArchiveClosed copies every closed segment of the journal to an archive, the
// oldest first, unless it is there: all but the one that is written to, which is
// never copied. Each is verified before, from its header to where the next one
// continues the chain, and read back afterwards. Its lock holds until its
// youngest record is that old.
//
// What is damaged, and what the archive has another file of, is not copied; the
// rest is, and the error names each. A run that was interrupted is continued by
// the next. It removes nothing: see [Journal.Retire] and [Journal.ArchivedIn].
func (j *Journal) ArchiveClosed(ctx context.Context, to Archive, lock time.Duration) (Archived, error) {
	j.retiring.Lock() // nothing goes meanwhile
	defer j.retiring.Unlock()
	segments := j.Segments()
	files, err := list(j.fs, j.dir)
	if err != nil {
		return Archived{}, fmt.Errorf("archive: %w", err)
	}
	last := segments[len(segments)-1].Number // what begins meanwhile waits for the next run
	files = slices.DeleteFunc(files, func(f segmentFile) bool { return f.number > last })
	return archiver{fs: j.fs, to: to, lock: lock}.all(ctx, files)
}

// ArchivedIn returns the condition for [Retention] that the archive has a
// segment, byte for byte. An archive that does not answer has none.
func (j *Journal) ArchivedIn(ctx context.Context, a Archive) func(Segment) bool {
	return func(s Segment) bool {
		data, err := readFile(j.fs, s.File)
		return err == nil && same(ctx, a, archiveName(s), data) == nil
	}
}

// ArchiveClosed is [Journal.ArchiveClosed] for the folder of a journal that no
// process has open: ErrLocked otherwise. Of the options, WithFS counts.
func ArchiveClosed(ctx context.Context, dir string, to Archive, lock time.Duration, opts ...Option) (_ Archived, err error) {
	c := configure(opts)
	files, err := list(c.fs, dir)
	if err != nil {
		return Archived{}, fmt.Errorf("archive: %w", err)
	}
	if len(files) == 0 {
		return Archived{}, fmt.Errorf("archive: %s: %w", dir, errNothing)
	}
	held, err := c.fs.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return Archived{}, fmt.Errorf("archive: %w", err)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if files, err = list(c.fs, dir); err != nil { // as nobody changes it now
		return Archived{}, fmt.Errorf("archive: %w", err)
	}
	if n := len(files); n > 0 && files[n-1].err != nil {
		files = files[:n-1] // it was never used, and the one before is still the last; or 'ambit verify' says more
	}
	return archiver{fs: c.fs, to: to, lock: lock}.all(ctx, files)
}

// archiver copies segments.
type archiver struct {
	fs   FS
	to   Archive
	lock time.Duration
}

// all copies the segments but the last.
func (a archiver) all(ctx context.Context, files []segmentFile) (Archived, error) {
	var (
		done Archived
		errs []error
	)
	begin := lineage(files)
	for i := range max(0, len(files)-1) {
		if err := ctx.Err(); err != nil {
			return done, errors.Join(append(errs, fmt.Errorf("archive: %w", err))...)
		}
		s := files[i].public()
		copied, err := a.one(ctx, files[i], files[i+1], i < begin)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("archive: %s: %w", s.File, err))
		case copied:
			done.Copied = append(done.Copied, s)
		default:
			done.Present = append(done.Present, s)
		}
	}
	return done, errors.Join(errs...)
}

// one copies a segment, and reports whether it was not there before.
func (a archiver) one(ctx context.Context, file, next segmentFile, given bool) (copied bool, err error) {
	data, err := a.sound(file, next, given)
	if err != nil {
		return false, err
	}
	name, until := archiveName(file.public()), next.header.Time.Add(a.lock)
	err = a.to.Put(ctx, name, data, until.UTC())
	if err != nil && !errors.Is(err, ErrArchived) {
		return false, err
	}
	return err == nil, same(ctx, a.to, name, data)
}

// sound returns the bytes of a segment that reads as it was written, up to where
// the next one continues. That one may be unknown only where a repair has given
// it up.
func (a archiver) sound(file, next segmentFile, given bool) ([]byte, error) {
	if err := file.usable(); err != nil {
		return nil, err
	}
	data, err := readFile(a.fs, file.path)
	if err != nil {
		return nil, err
	}
	var follows *header
	switch {
	case next.err == nil && next.number == file.number+1 && next.header.Journal == file.header.Journal:
		follows = &next.header
	case !given:
		return nil, fmt.Errorf("where it ends cannot be told: segment %d is missing or damaged", file.number+1)
	}
	r := recovery{config: config{fs: a.fs}}
	if _, err := r.frames(file, scan(data, file.header), follows); err != nil {
		return nil, err
	}
	return data, nil
}

// archiveName is the name of a segment's copy. Several journals fit an archive.
func archiveName(s Segment) string { return s.Journal + "/" + segmentName(s.Number) }

// same returns nil if the archive has exactly data under a name.
func same(ctx context.Context, a Archive, name string, data []byte) error {
	r, err := a.Open(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	there := sha256.New()
	n, err := io.Copy(there, io.LimitReader(r, int64(len(data))+1))
	if err != nil {
		return err
	}
	if want := sha256.Sum256(data); n != int64(len(data)) || string(there.Sum(nil)) != string(want[:]) {
		return fmt.Errorf("%w (%s): compare both with 'ambit verify'", ErrDiffers, rationale.Printable(name))
	}
	return nil
}
