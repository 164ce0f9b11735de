package journal_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const subjectsDir = "/subjects"

func subjectsOn(fsys journal.FS) *journal.Subjects {
	return journal.OpenSubjects(subjectsDir, journal.WithFS(fsys))
}

// erasures collects what is recorded.
type erasures struct {
	all  []rationale.Erasure
	fail error
}

func (e *erasures) record(_ context.Context, note rationale.Erasure) error {
	if e.fail != nil {
		return e.fail
	}
	e.all = append(e.all, note)
	return nil
}

func TestSubjectKeysAreKept(t *testing.T) {
	fsys := crashfs.New()
	s := subjectsOn(fsys)
	a, err := s.Key(ctx, "customer 1")
	require.NoError(t, err)
	b, err := s.Key(ctx, "customer 2")
	require.NoError(t, err)
	assert.NotEqual(t, a.ID, b.ID)
	assert.NotEqual(t, a.Secret, b.Secret)
	assert.Len(t, a.Secret, 32)
	for _, again := range []*journal.Subjects{s, subjectsOn(fsys)} {
		key, err := again.Key(ctx, "customer 1")
		require.NoError(t, err)
		assert.Equal(t, a, key)
	}
	_, err = s.Key(ctx, "")
	assert.Error(t, err)
	for name, data := range fsys.Files(subjectsDir) {
		assert.NotContains(t, name+string(data), "customer")
	}
}

func TestFilesOfKeysAreTheirOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "keys")
	_, err := journal.OpenSubjects(dir).Key(ctx, "customer")
	require.NoError(t, err)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "the key and the lock")
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode())
	}
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// Processes that ask for the key of a new subject at once get one key.
func TestASubjectHasOneKey(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	keys := make([]rationale.SubjectKey, 16)
	for i := range keys {
		group.Go(func() {
			key, err := journal.OpenSubjects(dir).Key(ctx, "customer")
			assert.NoError(t, err)
			keys[i] = key
		})
	}
	group.Wait()
	for _, k := range keys {
		assert.Equal(t, keys[0], k)
	}
}

func TestEraseDestroysTheKey(t *testing.T) {
	fsys := crashfs.New()
	host, other := subjectsOn(fsys), subjectsOn(fsys)
	key, err := host.Key(ctx, "customer")
	require.NoError(t, err)
	kept, err := host.Key(ctx, "another")
	require.NoError(t, err)
	var noted erasures
	for _, missing := range [][3]string{{"", "dpo", "why"}, {"customer", " ", "why"}, {"customer", "dpo", ""}} {
		_, err := other.Erase(ctx, missing[0], missing[1], missing[2], noted.record)
		require.Error(t, err)
	}
	found, err := other.Erase(ctx, "customer", "dpo@example.com", "request 7", noted.record)
	require.NoError(t, err)
	require.True(t, found)
	require.Len(t, noted.all, 1)
	assert.Equal(t, rationale.Erasure{Key: key.ID, At: noted.all[0].At, By: "dpo@example.com", Why: "request 7"}, noted.all[0])
	for name, data := range fsys.Files(subjectsDir) {
		assert.NotContains(t, name, "customer")
		assert.False(t, strings.HasSuffix(name, ".key") && strings.Contains(string(data), key.ID), name)
	}
	next, err := host.Key(ctx, "customer") // which had it in memory
	require.NoError(t, err)
	assert.NotEqual(t, key.ID, next.ID)
	assert.NotEqual(t, key.Secret, next.Secret)
	still, err := host.Key(ctx, "another")
	require.NoError(t, err)
	assert.Equal(t, kept, still)
	found, err = other.Erase(ctx, "nobody", "dpo@example.com", "request 8", noted.record)
	require.NoError(t, err)
	assert.False(t, found)
	assert.Len(t, noted.all, 1)
}

func TestReadersShowWhatWasErased(t *testing.T) {
	fsys := crashfs.New()
	s := subjectsOn(fsys)
	key, err := s.Key(ctx, "customer")
	require.NoError(t, err)
	d := &rationale.Decision{ID: "d1", Arguments: []byte(`{"n":1}`)}
	require.NoError(t, d.Seal(key))
	r, err := s.Reader()
	require.NoError(t, err)
	open, erased, err := r.Open(d)
	require.NoError(t, err)
	assert.Nil(t, erased)
	assert.Equal(t, `{"n":1}`, string(open.(*rationale.Decision).Arguments))
	var noted erasures
	noted.fail = errors.New("the journal is full")
	_, err = s.Erase(ctx, "customer", "dpo", "request 7", noted.record)
	require.ErrorIs(t, err, noted.fail)
	for range 2 { // owed, and recorded
		r, err = s.Reader()
		require.NoError(t, err)
		open, erased, err = r.Open(d)
		require.NoError(t, err)
		assert.Same(t, d, open)
		require.NotNil(t, erased)
		assert.Equal(t, "request 7", erased.Why)
		noted.fail = nil
		_, err = s.Erase(ctx, "customer", "dpo", "again", noted.record)
		require.NoError(t, err)
	}
	require.Len(t, noted.all, 1, "the first run's record was owed")
	assert.Equal(t, "request 7", noted.all[0].Why)
	none, err := subjectsOn(crashfs.New()).Reader()
	require.NoError(t, err)
	open, erased, err = none.Open(d)
	require.NoError(t, err)
	assert.Nil(t, erased)
	assert.Same(t, d, open)
}

// Whatever fails or crashes: a key that was returned stays until it is erased,
// an erasure that was reported is for good, and its record is not forgotten.
func TestSubjectKeysUnderEveryFault(t *testing.T) {
	for k := 1; ; k++ {
		over := false
		for seed := range uint64(12) {
			fsys := crashfs.New()
			random := rand.New(rand.NewPCG(uint64(k), seed))
			fsys.Inject(func(c crashfs.Call) crashfs.Fault {
				if c.N < k || seed == 0 && c.N > k {
					return crashfs.Fault{}
				}
				return crashfs.Fault{Err: errDead, Written: random.IntN(60)}
			})
			s := subjectsOn(fsys)
			key, keyErr := s.Key(ctx, "customer")
			var noted erasures
			found, eraseErr := false, errDead
			if keyErr == nil {
				found, eraseErr = s.Erase(ctx, "customer", "dpo", "request 7", noted.record)
			}
			fsys.Inject(nil)
			fsys.Unlock()
			after := fsys
			if seed > 1 {
				after = fsys.Crash(random)
			}
			over = over || eraseErr == nil && seed > 0
			shown := erasedIn(t, after, key)
			next, err := subjectsOn(after).Key(ctx, "customer")
			require.NoError(t, err, "call %d, seed %d: what was left holds nothing up", k, seed)
			require.False(t, shown && next.ID == key.ID, "call %d, seed %d: what readers show as erased is used", k, seed)
			for range 8 {
				again, err := subjectsOn(after.Crash(random)).Key(ctx, "customer")
				require.NoError(t, err)
				require.Equal(t, next, again, "call %d, seed %d: a key that was returned is durable", k, seed)
			}
			if eraseErr == nil {
				require.True(t, found)
				require.NotEqual(t, key.ID, next.ID)
				require.Len(t, noted.all, 1)
			}
			if keyErr != nil {
				continue
			}
			_, err = subjectsOn(after).Erase(ctx, "customer", "dpo", "request 8", noted.record)
			require.NoError(t, err, "call %d, seed %d", k, seed)
			recorded := map[string]bool{}
			for _, note := range noted.all {
				recorded[note.Key] = true
			}
			require.True(t, recorded[key.ID], "call %d, seed %d: a destroyed key without a record", k, seed)
			require.True(t, recorded[next.ID])
			for name, data := range after.Crash(random).Files(subjectsDir) {
				require.False(t, strings.HasSuffix(name, ".key"), "call %d, seed %d: %s %s", k, seed, name, data)
			}
		}
		if over {
			return
		}
	}
}

// erasedIn reports whether readers show what a key sealed as erased.
func erasedIn(t *testing.T, fsys journal.FS, key rationale.SubjectKey) bool {
	t.Helper()
	if key.ID == "" {
		return false
	}
	r, err := subjectsOn(fsys).Reader()
	require.NoError(t, err)
	d := &rationale.Decision{ID: "d1"}
	require.NoError(t, d.Seal(key))
	_, erased, err := r.Open(d)
	require.NoError(t, err)
	return erased != nil
}

func TestADamagedKeyIsNoNewKey(t *testing.T) {
	fsys := crashfs.New()
	_, err := subjectsOn(fsys).Key(ctx, "customer")
	require.NoError(t, err)
	for name := range fsys.Files(subjectsDir) {
		if strings.HasSuffix(name, ".key") {
			fsys.Put(filepath.Join(subjectsDir, name), []byte("{}"))
		}
	}
	_, err = subjectsOn(fsys).Key(ctx, "customer")
	assert.ErrorContains(t, err, "damaged")
	_, err = subjectsOn(fsys).Reader()
	assert.ErrorContains(t, err, "damaged")
}
