package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-go/ambit/rationale"
)

// Place is how far a reader of a journal has come.
type Place struct {
	// Head is the last record that the reader is done with; zero: none.
	Head rationale.Head `json:"head"`
	// From is a record at or before Head behind which the reader must begin to
	// know what Head rests on; zero: it needs nothing.
	From rationale.Head `json:"from"`
}

// Follower is a reader of a journal whose place outlives the process: whoever
// delivers records somewhere goes on where it stopped. Its files lie in the
// journal's folder: delivery-NAME.NUMBER.cursor is its place, and
// delivery-NAME.NUMBER.rejected holds what it was not able to deliver.
//
// [Journal.Retire] keeps every segment from a follower's place on, also while
// nobody follows: a follower that is not wanted any more is removed by removing
// its files. Make one with [Journal.Follow]. Its methods are safe for concurrent use.
type Follower struct {
	j    *Journal
	name string

	mu       sync.Mutex
	open     bool
	number   uint64   // of the latest cursor or rejected file
	current  string   // the cursor that counts
	stale    []string // others
	rejected File     // nil: the next rejection begins one
}

// ErrLost is the error of records that a repair set aside and that nobody can
// read any more: reading goes on behind them.
var ErrLost = errors.New("records were lost before a repair")

var followerName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// Follow returns the follower of a name: 1 to 32 lower-case letters, digits and
// hyphens. Nothing is read before [Follower.Begin], which also says what is
// wrong with the name.
func (j *Journal) Follow(name string) *Follower { return &Follower{j: j, name: name} }

// Name returns the name that Follow was given.
func (f *Follower) Name() string { return f.name }

// Begin returns the place that was kept last, and the zero Place, which it keeps,
// for a follower that is new. Until Close no other follower of that name can begin.
func (f *Follower) Begin() (Place, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	place, err := f.begin()
	if err != nil {
		return Place{}, fmt.Errorf("follow journal: %w", err)
	}
	return place, nil
}

func (f *Follower) begin() (Place, error) {
	switch {
	case f.j == nil:
		return Place{}, errors.New("there is no journal: the ledger was not opened with ledger.Open")
	case !followerName.MatchString(f.name):
		return Place{}, fmt.Errorf("the name %q: want 1 to 32 of a-z, 0-9 and -", rationale.Printable(f.name))
	case !f.j.enter(f.name):
		return Place{}, fmt.Errorf("%s is followed already", f.name)
	}
	place, err := f.resume()
	if err != nil {
		f.j.leave(f.name)
		return Place{}, err
	}
	f.open = true
	return place, nil
}

func (f *Follower) resume() (Place, error) {
	found, err := f.j.cursors()
	if err != nil {
		return Place{}, err
	}
	c := found[f.name]
	f.number, f.current, f.stale = c.number, c.file, c.stale
	if c.file == "" {
		return Place{}, f.keep(Place{})
	}
	f.tidy()
	return c.place, nil
}

// enter claims a name.
func (j *Journal) enter(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.readers == nil {
		j.readers = make(map[string]bool)
	}
	taken := j.readers[name]
	j.readers[name] = true
	return !taken
}

func (j *Journal) leave(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.readers, name)
}

// Keep makes a place durable, in the stead of the one before: after it, or after
// a crash at any moment of it, Begin returns one of the two. It fails while the
// follower has not begun, and once the journal is closed.
func (f *Follower) Keep(p Place) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(); err != nil {
		return fmt.Errorf("keep the place: %w", err)
	}
	if err := f.keep(p); err != nil {
		return fmt.Errorf("keep the place: %w", err)
	}
	return nil
}

func (f *Follower) usable() error {
	if !f.open {
		return errors.New("the follower has not begun")
	}
	f.j.mu.Lock()
	defer f.j.mu.Unlock()
	if f.j.closing {
		return ErrClosed
	}
	return nil
}

// keep writes the next cursor, and removes the one before once it is durable.
func (f *Follower) keep(p Place) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	b = append(append(b, '\n'), rationale.Digest(b)+"\n"...)
	f.number++
	path := filepath.Join(f.j.dir, fileName(f.name, f.number, cursorExtension))
	file, err := f.j.fs.Create(path)
	if err != nil {
		return err
	}
	f.stale = append(f.stale, path)
	err = errors.Join(writeAll(file, b), file.Sync(), file.Close(), f.j.fs.SyncDir(f.j.dir))
	if err != nil {
		return err
	}
	f.stale = f.stale[:len(f.stale)-1]
	if f.current != "" {
		f.stale = append(f.stale, f.current)
	}
	f.current = path
	f.tidy()
	return nil
}

// tidy removes cursors that do not count: a later one does. What cannot be
// removed now is harmless, and tried again.
func (f *Follower) tidy() {
	f.stale = slices.DeleteFunc(f.stale, func(path string) bool {
		err := f.j.fs.Remove(path)
		return err == nil || errors.Is(err, fs.ErrNotExist)
	})
}

// Close ends the following. What was kept stays.
func (f *Follower) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.open {
		return nil
	}
	f.open = false
	f.j.leave(f.name)
	return f.closeRejected()
}

// Head returns the last record that was acknowledged.
func (f *Follower) Head() rationale.Head { return f.j.Head() }

// Wait returns when there are records beyond a position of the current journal,
// as [Journal.Wait] does.
func (f *Follower) Wait(ctx context.Context, seq uint64) error { return f.j.Wait(ctx, seq) }

// Measure is [Journal.Measure].
func (f *Follower) Measure(m Meter) (stop func()) { return f.j.Measure(m) }

// After yields the records behind a head as [Journal.After] does, with two
// differences. What a repair set aside is yielded as an error that is ErrLost, and
// what follows it comes after it. Any other error ends the iteration: reading is
// to be tried again, since going on would pass records over.
func (f *Follower) After(head rationale.Head) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		current := f.j.Head().Journal
		for e, err := range f.j.After(head) {
			switch {
			case err == nil:
				if !yield(e, nil) {
					return
				}
			case !repaired(err, current):
				yield(Entry{}, err)
				return
			case !yield(Entry{}, fmt.Errorf("%w: %w", ErrLost, err)):
				return
			}
		}
	}
}

// repaired reports whether a problem is one that the journal knows of: damage,
// and no failure to read, in what came before the last repair.
func repaired(err error, current string) bool {
	if errors.Is(err, ErrAside) {
		return true
	}
	at, ok := errors.AsType[*ReadError](err)
	if ok && strings.HasSuffix(at.File, asideExtension) {
		return true
	}
	if !ok || at.After.Journal == "" || at.After.Journal == current {
		return false
	}
	var failed interface{ Timeout() bool } // errors of the operating system
	return !errors.As(at.Err, &failed)
}

// Decisions returns those of the decisions with given ids that are in the journal.
// It reads back from its end until it has found all.
func (f *Follower) Decisions(ids ...string) (map[string]*rationale.Decision, error) {
	return f.j.decisions(ids)
}
