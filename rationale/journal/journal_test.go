package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

func outcome(id string) *rationale.Outcome {
	return &rationale.Outcome{ID: id, At: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC), Status: rationale.StatusSuccess, Spent: "100"}
}

func open(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, j.Close()) })
	return j
}

// read returns the ids of the records, and the errors in between.
func read(path string) (ids []string, errs []error) {
	for entry, err := range journal.Read(path) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ids = append(ids, entry.Record.RecordID())
	}
	return ids, errs
}

func TestAppendAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "evidence")
	j := open(t, dir)
	ctx := context.Background()
	require.NoError(t, j.Append(ctx, outcome("a"), outcome("b")))
	require.NoError(t, j.Append(ctx, &rationale.Decision{ID: "c"}))
	require.NoError(t, j.Append(ctx))

	var entries []journal.Entry
	for entry, err := range journal.Read(dir) {
		require.NoError(t, err)
		entries = append(entries, entry)
	}
	require.Len(t, entries, 3)
	assert.Equal(t, j.Path(), entries[2].File)
	assert.Equal(t, 3, entries[2].Line)
	assert.Equal(t, j.ID(), entries[2].Envelope.Journal)
	assert.Equal(t, uint64(3), entries[2].Envelope.Seq)
	assert.IsType(t, &rationale.Decision{}, entries[2].Record)
	assert.Equal(t, "100", entries[0].Record.(*rationale.Outcome).Spent)

	f, err := os.Open(j.Path())
	require.NoError(t, err)
	defer f.Close()
	head, err := rationale.VerifyChain(f)
	require.NoError(t, err)
	assert.Equal(t, j.Head(), head)

	for path, mode := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, j.Path(): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode(), path)
	}
	assert.Equal(t, j.ID()+journal.Extension, filepath.Base(j.Path()))
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$`, j.ID())
}

func TestSeveralJournalsInOneFolder(t *testing.T) {
	dir := t.TempDir()
	ctx := context.Background()
	first := open(t, dir)
	time.Sleep(time.Millisecond)
	second := open(t, dir)
	require.NoError(t, second.Append(ctx, outcome("s1")))
	require.NoError(t, first.Append(ctx, outcome("f1"), outcome("f2")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "spans.jsonl"), []byte("{}\n"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	ids, errs := read(dir)
	assert.Empty(t, errs)
	assert.Equal(t, []string{"f1", "f2", "s1"}, ids, "by the journals' start")
	ids, errs = read(second.Path())
	assert.Empty(t, errs)
	assert.Equal(t, []string{"s1"}, ids)
	for range journal.Read(dir) {
		break // a reader may stop at once
	}
}

func TestReadNothing(t *testing.T) {
	ids, errs := read(t.TempDir())
	assert.Empty(t, ids)
	assert.Empty(t, errs)
	_, errs = read(filepath.Join(t.TempDir(), "gone"))
	require.Len(t, errs, 1)
	assert.ErrorIs(t, errs[0], os.ErrNotExist)
	var located *journal.ReadError
	require.ErrorAs(t, errs[0], &located)
	assert.Zero(t, located.Line)
}

func TestAppendRefusesAndGoesOn(t *testing.T) {
	j := open(t, t.TempDir())
	require.NoError(t, j.Append(context.Background(), outcome("a")))
	head := j.Head()
	assert.Error(t, j.Append(context.Background(), outcome("b"), &rationale.Outcome{}), "a record without an id")
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, j.Append(cancelled, outcome("b")), context.Canceled)
	assert.Equal(t, head, j.Head())
	require.NoError(t, j.Append(context.Background(), outcome("c")))
	ids, errs := read(j.Path())
	assert.Empty(t, errs)
	assert.Equal(t, []string{"a", "c"}, ids)
}

func TestAppendAfterClose(t *testing.T) {
	j, err := journal.Open(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, j.Close())
	require.NoError(t, j.Close())
	assert.ErrorIs(t, j.Append(context.Background(), outcome("a")), journal.ErrClosed)
	assert.ErrorIs(t, j.Append(context.Background()), journal.ErrClosed)
}

func TestAppendNoticesALostFile(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, path string){
		"removed": func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
		"moved":   func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+".old")) },
		"replaced": func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path+".new", data, 0o600))
			require.NoError(t, os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := open(t, t.TempDir())
			require.NoError(t, j.Append(context.Background(), outcome("a")))
			lose(t, j.Path())
			assert.ErrorContains(t, j.Append(context.Background(), outcome("b")), "the journal's file was re")
			assert.Error(t, j.Append(context.Background(), outcome("c")), "for good")
			assert.Equal(t, uint64(1), j.Head().Seq, "only what was acknowledged")
		})
	}
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := journal.Open(filepath.Join(file, "dir"))
	assert.ErrorContains(t, err, "open journal: ")
}

func TestAppendConcurrently(t *testing.T) {
	j := open(t, t.TempDir())
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 10 {
				assert.NoError(t, j.Append(context.Background(), outcome(fmt.Sprintf("%d-%d-a", w, i)), outcome(fmt.Sprintf("%d-%d-b", w, i))))
			}
		})
	}
	wg.Wait()
	ids, errs := read(j.Path())
	assert.Empty(t, errs)
	assert.Len(t, ids, 160)
	for i := 0; i < len(ids); i += 2 {
		assert.Equal(t, strings.TrimSuffix(ids[i], "a"), strings.TrimSuffix(ids[i+1], "b"), "records of one Append stay together")
	}
	assert.Equal(t, uint64(160), j.Head().Seq)
}

func TestReadLocatesDamage(t *testing.T) {
	source := open(t, t.TempDir())
	for _, id := range []string{"a", "b", "c", "d"} {
		require.NoError(t, source.Append(context.Background(), outcome(id)))
	}
	data, err := os.ReadFile(source.Path())
	require.NoError(t, err)
	lines := slices.Collect(strings.Lines(string(data)))
	other := open(t, t.TempDir())
	require.NoError(t, other.Append(context.Background(), outcome("x")))
	foreign, err := os.ReadFile(other.Path())
	require.NoError(t, err)

	for _, c := range []struct {
		name    string
		lines   []string
		line    int
		problem rationale.ChainProblem
		ids     []string // what can still be read
	}{
		{"edited", []string{lines[0], strings.Replace(lines[1], `"100"`, `"999"`, 1), lines[2], lines[3]}, 3, rationale.ChainEdited, []string{"a", "b", "c", "d"}},
		{"removed", []string{lines[0], lines[2], lines[3]}, 2, rationale.ChainGap, []string{"a", "c", "d"}},
		{"garbage", []string{lines[0], "\x00\x00\x00\n", lines[2]}, 2, rationale.ChainMalformed, []string{"a", "c"}},
		{"torn", []string{lines[0], lines[1][:len(lines[1])-9]}, 2, rationale.ChainTorn, []string{"a"}},
		{"another journal's content", []string{string(foreign)}, 1, rationale.ChainForeign, []string{"x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.Base(source.Path()))
			require.NoError(t, os.WriteFile(path, []byte(strings.Join(c.lines, "")), 0o600))
			ids, errs := read(dir)
			assert.Equal(t, c.ids, ids)
			require.Len(t, errs, 1, "%v", errs)
			var located *journal.ReadError
			require.ErrorAs(t, errs[0], &located)
			assert.Equal(t, path, located.File)
			assert.Equal(t, c.line, located.Line)
			assert.True(t, strings.HasPrefix(errs[0].Error(), fmt.Sprintf("%s:%d: chain broken (%s): ", path, c.line, c.problem)), "%v", errs[0])
			assert.Equal(t, c.problem == rationale.ChainTorn, journal.Torn(errs[0]))
			for range journal.Read(dir) {
				break // stopping at the error must not read on
			}
		})
	}
}

// A line of an intact chain whose body is no record of ours is located too.
func TestReadLocatesABadRecord(t *testing.T) {
	line, err := rationale.Envelope{Journal: "j", Seq: 1, Body: []byte(`{"kind":"decision"}`)}.Line()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "any-name.txt")
	require.NoError(t, os.WriteFile(path, append(line, '\n'), 0o600))
	ids, errs := read(path)
	assert.Empty(t, ids)
	require.Len(t, errs, 1)
	assert.EqualError(t, errs[0], path+":1: decode record: the record has no id")
	assert.False(t, journal.Torn(errors.New("x")))
}
