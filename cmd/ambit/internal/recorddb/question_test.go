package recorddb_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/cmd/ambit/internal/recorddb"
	"github.com/ambit-go/ambit/rationale"
)

// sentences asks a question and returns the sentences of its exceptions, or of its
// notes, with ID in place of ids.
func sentences(t *testing.T, db *recorddb.DB, question string, exceptions bool) []string {
	t.Helper()
	var found []string
	require.NoError(t, db.Ask(question, recorddb.Asked{}, func(f recorddb.Finding) error {
		if f.Exception == exceptions {
			found = append(found, ids.ReplaceAllString(f.Sentence, "ID"))
		}
		return nil
	}), question)
	return found
}

var ids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// What was done right passes every question, and each has looked at something.
func TestCleanRecordsPass(t *testing.T) {
	dir := t.TempDir()
	clean(t, dir)
	db := open(t, false, dir)
	notes := map[string][]string{
		"unexplained": {
			"0 of 26 acts of class look of fleet have no complete rationale; 26 were asked for none",
			"0 of 85 acts of class scale of fleet have no complete rationale",
			"0 of 2 acts of class drain of legacy have no complete rationale; 2 were asked for none",
		},
		"approvals": {"k8s.scale at 2026-10-16T09:02:10Z (ID) had to be approved, and was, by ann@example.com at 2026-10-16T09:02:10Z"},
		"reviews": {
			"k8s.scale at 2026-10-17T09:00:00Z (ID) was reviewed by rae@example.com: upheld",
			"k8s.scale at 2026-10-30T11:00:00Z (ID) waits for its review, due at 2026-11-01T11:00:00Z",
		},
		"spend": {"scale of fleet spent 590.48 EUR in 2026-10 on 85 acts"},
		"haste": {
			"ann@example.com approved 0 of 1 request within 10 s of being asked; the fastest after 130.000 s (ID)",
			"sam@example.com approved 0 of 1 request within 10 s of being asked; the fastest after 10.000 s (ID)",
		},
		"stopping": {
			"class scale of fleet was suspended by lee@example.com at 2026-10-19T09:00:01Z; nothing ran on",
			"legacy was revoked by revocation.yaml at 2026-10-20T08:59:50Z; the last act began 10.000 s later (ID)",
		},
		"drift": {
			"class look of fleet, in 13 days before its review at 2026-10-15 and in as many before now: 13 and 11 acts, of which alone 13 and 11, reviewed 0 and 0, approved 0 and 0",
			"class scale of fleet, in 13 days before its review at 2026-10-15 and in as many before now: 41 and 37 acts, 244 and 193 EUR, of which alone 41 and 35, reviewed 0 and 2, approved 0 and 0",
		},
	}
	questions, _, err := recorddb.Catalogue()
	require.NoError(t, err)
	require.Len(t, questions, 14)
	for _, q := range questions {
		assert.Empty(t, sentences(t, db, q.Name, true), q.Name)
		if !q.PerAct || notes[q.Name] != nil {
			assert.Equal(t, notes[q.Name], sentences(t, db, q.Name, false), q.Name)
		}
	}
	assert.Len(t, sentences(t, db, "authority", false), 113, "every act")
	assert.Contains(t, sentences(t, db, "authority", false), "k8s.get at 2026-10-01T09:00:00Z (ID) ran under fleet version 1, granted by lee@example.com, kim@example.com in cab, "+
		"in the account of dana@example.com, which was in force")
	assert.Contains(t, sentences(t, db, "constraints", false), "k8s.scale at 2026-10-01T09:00:01Z (ID, allow): bound bounds[0] came out as pass (CAP-114 capacity envelope)")
}

// Each question finds what was done wrong, in a month of records that are otherwise right.
func TestPlantedViolationsAreFound(t *testing.T) {
	dir := t.TempDir()
	clean(t, dir)
	tried := make(map[string]bool)
	for _, c := range violations() {
		if testing.Short() && tried[c.question] {
			continue // SQLite is slow under the race detector: one for each question
		}
		tried[c.question] = true
		t.Run(c.question+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			db := open(t, false, plant(t, dir, c.plant))
			found := sentences(t, db, c.question, true)
			if c.want == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1, "%s", strings.Join(found, "\n"))
			assert.Contains(t, found[0], c.want)
		})
	}
}

// The chain is asked of damaged files.
func TestChainOfDamagedRecords(t *testing.T) {
	dir := t.TempDir()
	clean(t, dir)
	whole := reopened(t, dir, 3)
	assert.Empty(t, sentences(t, open(t, false, whole), "chain", true))
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   []string
	}{
		{"a segment is missing", func(t *testing.T, dir string) { require.NoError(t, os.Remove(segments(t, dir)[1])) }, []string{`segments 2 to 2: missing`}},
		{"the first segment is missing", func(t *testing.T, dir string) { require.NoError(t, os.Remove(segments(t, dir)[0])) }, []string{`journal ID begins with record \d+, and none says that those before it were removed`}},
		{"a bit is flipped", func(t *testing.T, dir string) {
			edit(t, segments(t, dir)[0], func(data []byte) []byte { return bytes.Replace(data, []byte("CAP-114"), []byte("CAP-115"), 1) })
		}, []string{`00000001.seg: byte \d+, after record \d+: `}},
		{"torn", func(t *testing.T, dir string) {
			all := segments(t, dir)
			edit(t, all[len(all)-1], func(data []byte) []byte { return append(data, "AFRM"...) })
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			to := copied(t, whole)
			c.damage(t, to)
			found := sentences(t, open(t, false, to), "chain", true)
			require.Len(t, found, len(c.want), "%s", strings.Join(found, "\n"))
			for i, want := range c.want {
				assert.Regexp(t, want, found[i])
			}
		})
	}
	for name, c := range map[string]struct {
		plant func(p *planted)
		want  string
	}{
		"a record twice": {func(p *planted) {
			p.added = append(p.added, p.like("scale", classify.Parameterized, day(21, 12)))
			p.added = append(p.added, p.added[0])
		}, "decision ID is recorded 2 times"},
		"two outcomes": {func(p *planted) {
			o := *p.scaled(day(21, 12), func(*rationale.Decision) {})
			o.ID = rationale.NewID(o.At)
			p.added = append(p.added, &o)
		}, "decision ID has 2 outcomes"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []string{c.want}, sentences(t, open(t, false, plant(t, dir, c.plant)), "chain", true))
		})
	}
}

// Thresholds are parameters, which say what they are.
func TestParameters(t *testing.T) {
	dir := t.TempDir()
	clean(t, dir)
	db := open(t, false, dir)
	for _, c := range []struct{ question, parameter, value, want string }{
		{"haste", "fast", "10000000001ns", "sam@example.com approved 1 of 1 request within 10 s of being asked"},
		{"stopping", "stop", "9999ms", "the last act began 10.000 s later"},
		{"splitting", "many", "2", "2 acts of class scale of fleet"},
		{"reviews", "now", "2026-11-01T11:00:00.1Z", "is not reviewed, which was due at 2026-11-01T11:00:00Z"},
		{"drift", "mix", "5", "reviewed 0 and 2"},
		{"drift", "drift", "10", "244 and 193 EUR (!)"},
	} {
		before := sentences(t, db, c.question, true)
		require.NoError(t, db.Set(c.parameter, c.value))
		found := sentences(t, db, c.question, true)
		require.NotEmpty(t, found, c.parameter)
		assert.Empty(t, before, c.parameter)
		assert.Contains(t, strings.Join(found, "\n"), c.want)
		defaults(t, db, c.parameter)
	}
	require.NoError(t, db.Set("since", "2026-10-17T00:00:00+00:00"))
	assert.Empty(t, sentences(t, db, "approvals", false), "before since")
	for name, value := range map[string]string{"fast": "10", "near": "-1", "many": "0", "now": "today", "least": "1.5", "stop": "-1s"} {
		assert.ErrorContains(t, db.Set(name, value), fmt.Sprintf("%s: %q is no ", name, value))
	}
	assert.Error(t, db.Set("nothing", "1"))
	assert.ErrorIs(t, db.Ask("haste", recorddb.Asked{Decision: "x"}, nil), recorddb.ErrNotOfDecisions)
}

// defaults sets a parameter back.
func defaults(t *testing.T, db *recorddb.DB, name string) {
	t.Helper()
	_, parameters, err := recorddb.Catalogue()
	require.NoError(t, err)
	for _, p := range parameters {
		if p.Name == name && p.Value != "" {
			require.NoError(t, db.Set(name, p.Value))
			return
		}
	}
	require.NoError(t, db.Set(name, asOf.Format(time.RFC3339)))
}
