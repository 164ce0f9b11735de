package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Retention says which segments may go. What is nil asks for nothing.
type Retention struct {
	Keep      time.Duration        // how long the youngest record of a segment is kept at least
	Delivered func(s Segment) bool // all of its records were delivered by other means than a [Follower]
	Archived  func(s Segment) bool // a copy lies where it is kept
	Needed    func(s Segment) bool // something still refers to it, beside what the State needs
}

// Retire removes the oldest segments that nothing asks to keep: those older than
// Keep, delivered, archived, not needed by the [State] or by r, and followed by a
// later segment with a snapshot, and which every [Follower] has passed, whether it
// is followed at the moment or not. It stops at the first that must stay, and never
// removes the last one. Before the first removal it begins a new segment, whose
// header names the oldest that must be there from now on, and in which a
// lifecycle record of the event [rationale.EventRetired] says up to which record
// the journal is no longer here.
//
// It returns the segments that were removed, also with an error.
func (j *Journal) Retire(ctx context.Context, r Retention) ([]Segment, error) {
	j.retiring.Lock()
	defer j.retiring.Unlock()
	segments := j.Segments()
	followed, err := j.followed(segments)
	if err != nil {
		return nil, fmt.Errorf("retire segments: %w", err)
	}
	n := min(followed, j.expendable(segments, r))
	if n == 0 {
		return nil, nil
	}
	kept, err := readHeader(j.fs, segments[n].File)
	if err != nil {
		return nil, fmt.Errorf("retire segments: %w", err)
	}
	now, previous := j.now(), kept.before()
	err = j.do(ctx, &request{retire: &retirement{oldest: segments[n].Number, note: &rationale.Lifecycle{
		ID: rationale.NewID(now), At: now, Event: rationale.EventRetired, Previous: &previous, From: segments[0].Opened, Until: kept.Time,
		Message: fmt.Sprintf("%s to %s were removed", filepath.Base(segments[0].File), filepath.Base(segments[n-1].File)),
	}}})
	if err != nil {
		return nil, fmt.Errorf("retire segments: %w", err)
	}
	for i, s := range segments[:n] {
		if err := j.fs.Remove(s.File); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return segments[:i], fmt.Errorf("retire segments: %w", err)
		}
		j.mu.Lock()
		j.index = slices.Clone(j.index[1:])
		j.mu.Unlock()
		// Before the next: a crash must not leave an older one with a gap behind it.
		if err := j.fs.SyncDir(j.dir); err != nil {
			return segments[:i+1], fmt.Errorf("retire segments: %w", err)
		}
	}
	return segments[:n], nil
}

// retirement is what the committer writes before segments are removed.
type retirement struct {
	oldest uint64
	note   *rationale.Lifecycle
}

// expendable counts the segments, from the oldest on, that nothing asks to keep.
func (j *Journal) expendable(segments []Segment, r Retention) int {
	needed := uint64(0)
	if j.state != nil {
		needed = j.state.Needed()
	}
	says := func(f func(Segment) bool, s Segment, otherwise bool) bool {
		if f == nil {
			return otherwise
		}
		return f(s)
	}
	for n, s := range segments {
		switch {
		case n == len(segments)-1,
			j.now().Sub(segments[n+1].Opened) < r.Keep,
			needed != 0 && s.Number >= needed,
			!slices.ContainsFunc(segments[n+1:], func(later Segment) bool { return later.Snapshot }),
			!says(r.Delivered, s, true), !says(r.Archived, s, true), says(r.Needed, s, false):
			return n
		}
	}
	return 0
}
