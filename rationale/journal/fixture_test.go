package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

var (
	ctx         = context.Background()
	errDead     = errors.New("the process has ended")
	errDeadline = context.DeadlineExceeded
	errNoFolder = fs.ErrNotExist
)

func contextWithTimeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

// tally is a State: the ids of all outcomes, in order.
type tally struct {
	mu     sync.Mutex
	IDs    []string `json:"ids"`
	Opened int      `json:"opened"`
	needed uint64
	taken  int // records applied since the snapshot
	from   string
}

func (s *tally) Apply(rec rationale.Record, at journal.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	switch r := rec.(type) {
	case *rationale.Outcome:
		s.IDs = append(s.IDs, r.ID)
	case *rationale.Lifecycle:
		if r.Event == rationale.EventOpened {
			s.Opened++
		}
	}
}

func (s *tally) Snapshot(now time.Time) []rationale.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return []rationale.Record{&rationale.Snapshot{ID: rationale.NewID(now), At: now, State: state}}
}

func (s *tally) Restore(snapshot *rationale.Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.IDs, s.taken, s.from = nil, 0, snapshot.ID
	return json.Unmarshal(snapshot.State, s)
}

func (s *tally) Needed() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.needed
}

// hanging is a file system whose first sync of a frame hangs, or where it is not
// that, its first write of one.
type hanging struct {
	*crashfs.FS
	hang  func()
	write bool
}

func (h hanging) Create(name string) (journal.File, error) {
	f, err := h.FS.Create(name)
	return &hangingFile{File: f, hanging: h}, err
}

func (h hanging) InPlace(f journal.File, name string) error {
	if hf, ok := f.(*hangingFile); ok {
		f = hf.File
	}
	return h.FS.InPlace(f, name)
}

type hangingFile struct {
	journal.File
	hanging
	syncs, writes int
}

func (f *hangingFile) Sync() error {
	if f.syncs++; f.syncs == 2 && !f.write {
		f.hang()
	}
	return f.File.Sync()
}

func (f *hangingFile) Write(p []byte) (int, error) {
	if f.writes++; f.writes == 2 && f.write {
		f.hang()
	}
	return f.File.Write(p)
}
