package journal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// SubjectsFolder is the name of the folder in a journal's folder that holds the
// keys of its subjects, where a host keeps them there. Do not copy it along with
// the journal: a copy of a key outlives its erasure.
const SubjectsFolder = "subjects"

// How the files of keys end.
const (
	keySuffix    = ".key"     // a subject's key; named by the SHA-256 of the subject
	owedSuffix   = ".erasing" // an erasure whose record is owed; named by the key's id
	erasedSuffix = ".erased"  // an erasure that is on record
)

// maxSubjects bounds how many keys are kept in memory.
const maxSubjects = 65536

// Subjects keeps the data keys of subjects in a folder: one file for each, plain,
// that only its owner may read. It is safe for concurrent use, also by several
// processes. Where files must not hold keys, a host gives its own store of keys
// to the guard.
//
// Neither names of files nor their content say who a subject is, but who knows
// the name of a subject finds its file.
type Subjects struct {
	config
	dir string

	mu    sync.Mutex
	cache map[string]rationale.SubjectKey
}

// OpenSubjects returns the keys in a folder, which the first new key creates.
// Of the options, WithFS and WithClock count.
func OpenSubjects(dir string, opts ...Option) *Subjects {
	return &Subjects{config: configure(opts), dir: dir, cache: make(map[string]rationale.SubjectKey)}
}

// Key returns the key of a subject, and makes one where there is none: it is
// durable then. A key that was destroyed is never returned again, to whichever
// process destroyed it; the subject gets another.
func (s *Subjects) Key(ctx context.Context, subject string) (rationale.SubjectKey, error) {
	if subject == "" {
		return rationale.SubjectKey{}, errors.New("subject key: there is no subject")
	}
	s.mu.Lock()
	known, ok := s.cache[subject]
	s.mu.Unlock()
	if ok {
		if there, err := exists(s.fs, s.path(subject)); err != nil {
			return rationale.SubjectKey{}, fmt.Errorf("subject key: %w", err)
		} else if there {
			return known, nil
		}
		s.forget(subject)
	}
	var key rationale.SubjectKey
	err := s.locked(ctx, func() (err error) {
		key, err = s.current(subject)
		return err
	})
	if err != nil {
		return rationale.SubjectKey{}, fmt.Errorf("subject key: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for other := range s.cache {
		if len(s.cache) < maxSubjects {
			break
		}
		delete(s.cache, other)
	}
	s.cache[subject] = key
	return key, nil
}

// forget drops a key from memory.
func (s *Subjects) forget(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cache, subject)
}

// current returns the key in the folder, or a new one. The folder is locked.
func (s *Subjects) current(subject string) (rationale.SubjectKey, error) {
	path := s.path(subject)
	key, err := s.load(path)
	switch {
	case err == nil:
		// A process may have ended before the name was durable, or in the middle of
		// an erasure.
		erased, err := s.erasure(key.ID)
		if err == nil && erased == nil {
			return key, s.fs.SyncDir(s.dir)
		}
		if err == nil {
			err = s.remove(path)
		}
		if err != nil {
			return rationale.SubjectKey{}, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return rationale.SubjectKey{}, err
	}
	key = rationale.SubjectKey{ID: rationale.NewID(s.now()), Secret: make([]byte, sha256.Size)}
	_, _ = rand.Read(key.Secret) // never fails: crypto/rand ends the process first
	return key, s.store(path, storedKey(key))
}

// storedKey is the content of a key's file.
type storedKey struct {
	ID     string `json:"id"`
	Secret []byte `json:"secret"`
}

func (s *Subjects) load(path string) (rationale.SubjectKey, error) {
	data, err := readFile(s.fs, path)
	if err != nil {
		return rationale.SubjectKey{}, err
	}
	var k storedKey
	if json.Unmarshal(data, &k) != nil || k.ID == "" || len(k.Secret) != sha256.Size {
		return rationale.SubjectKey{}, fmt.Errorf("%s is no key, or is damaged: restore it, or remove it to give up what is sealed with it", path)
	}
	return rationale.SubjectKey(k), nil
}

// store makes a file durable, all of it or nothing.
func (s *Subjects) store(path string, content any) error {
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	partial := path + partialSuffix
	if err := s.fs.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := s.fs.Create(partial)
	if err != nil {
		return err
	}
	if err := errors.Join(writeAll(f, append(data, '\n')), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := s.fs.Rename(partial, path); err != nil {
		return err
	}
	return s.fs.SyncDir(s.dir)
}

func (s *Subjects) remove(path string) error {
	if err := s.fs.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.fs.SyncDir(s.dir)
}

func (s *Subjects) path(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:])+keySuffix)
}

// lockPoll is how often a lock that another process holds is asked for again:
// it is held for a few writes.
const lockPoll = 2 * time.Millisecond

// locked calls f while no other process changes the folder.
func (s *Subjects) locked(ctx context.Context, f func() error) (err error) {
	if err := s.fs.MkdirAll(s.dir); err != nil {
		return err
	}
	for {
		lock, err := s.fs.Lock(filepath.Join(s.dir, lockName))
		if err == nil {
			err := f()
			return errors.Join(err, lock.Close())
		}
		if !errors.Is(err, ErrLocked) {
			return err
		}
		timer := time.NewTimer(lockPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// Erase destroys the key of a subject, durably, and then has record write down
// that it did: who, when, and why. Erasures that an earlier run destroyed and did
// not get to record are recorded with it, so that an interrupted run is ended by
// the next. It reports whether the subject had a key.
//
// Removing a file does not overwrite a disk: keep the folder where what is
// removed is gone, such as on an encrypted volume, and out of backups.
func (s *Subjects) Erase(ctx context.Context, subject, by, why string, record func(context.Context, rationale.Erasure) error) (found bool, err error) {
	if subject == "" || strings.TrimSpace(by) == "" || strings.TrimSpace(why) == "" {
		return false, errors.New("erase: want a subject, who erases it, and why")
	}
	err = s.locked(ctx, func() error {
		if found, err = s.destroy(subject, by, why); err != nil {
			return err
		}
		return s.settle(ctx, record)
	})
	s.forget(subject)
	if err != nil {
		return found, fmt.Errorf("erase: %w", err)
	}
	return found, nil
}

// destroy notes an erasure, and removes the key. Who finds the note alone ends
// the work.
func (s *Subjects) destroy(subject, by, why string) (found bool, err error) {
	path := s.path(subject)
	key, err := s.load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	known, err := s.erasure(key.ID)
	switch {
	case err != nil:
		return true, err
	case known != nil: // by a run that was interrupted
		return true, s.remove(path)
	}
	note := rationale.Erasure{Key: key.ID, At: s.now().UTC(), By: strings.ToValidUTF8(by, "\uFFFD"), Why: strings.ToValidUTF8(why, "\uFFFD")}
	if err := s.store(filepath.Join(s.dir, key.ID+owedSuffix), note); err != nil {
		return true, err
	}
	return true, s.remove(path)
}

// settle records the erasures whose record is owed.
func (s *Subjects) settle(ctx context.Context, record func(context.Context, rationale.Erasure) error) error {
	names, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		id, owed := strings.CutSuffix(name, owedSuffix)
		if !owed {
			continue
		}
		note, err := s.erasure(id)
		if err != nil {
			return err
		}
		if err := record(ctx, *note); err != nil {
			return err
		}
		if err := s.fs.Rename(filepath.Join(s.dir, name), filepath.Join(s.dir, id+erasedSuffix)); err != nil {
			return err
		}
	}
	return s.fs.SyncDir(s.dir)
}

// erasure returns what is noted of a key's erasure; nil: nothing.
func (s *Subjects) erasure(id string) (*rationale.Erasure, error) {
	for _, suffix := range [...]string{erasedSuffix, owedSuffix} {
		path := filepath.Join(s.dir, id+suffix)
		data, err := readFile(s.fs, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		note := new(rationale.Erasure)
		if err := json.Unmarshal(data, note); err != nil || note.Key != id {
			return nil, fmt.Errorf("%s is no note of an erasure, or is damaged", path)
		}
		return note, nil
	}
	return nil, nil
}

// Reader returns what opens sealed records with the keys that are here now, for
// readers of a journal. A folder that does not exist holds none.
func (s *Subjects) Reader() (*SubjectReader, error) {
	r := &SubjectReader{keys: make(map[string]rationale.SubjectKey), erased: make(map[string]rationale.Erasure)}
	names, err := s.fs.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		id, _, _ := strings.Cut(name, ".")
		switch filepath.Ext(name) {
		case keySuffix:
			key, err := s.load(filepath.Join(s.dir, name))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			if err == nil {
				r.keys[key.ID] = key
			}
		case owedSuffix, erasedSuffix:
			note, err := s.erasure(id)
			if err != nil {
				return nil, err
			}
			if note != nil {
				r.erased[id] = *note
			}
		}
	}
	return r, nil
}

// SubjectReader opens sealed records. The nil SubjectReader opens none.
type SubjectReader struct {
	keys   map[string]rationale.SubjectKey
	erased map[string]rationale.Erasure
}

// Open returns a record with its payload in place: itself where it is not sealed,
// and where its key is not here. Erasure says so where the key was destroyed.
// A payload that does not belong to the record is an error.
func (r *SubjectReader) Open(rec rationale.Record) (open rationale.Record, erased *rationale.Erasure, err error) {
	id := rationale.SealedUnder(rec)
	if id == "" || r == nil {
		return rec, nil, nil
	}
	if note, ok := r.erased[id]; ok {
		return rec, &note, nil
	}
	key, ok := r.keys[id]
	if !ok {
		return rec, nil, nil
	}
	open, err = rationale.Unseal(rec, key)
	if err != nil {
		return rec, nil, err
	}
	return open, nil, nil
}
