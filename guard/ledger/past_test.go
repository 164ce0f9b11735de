package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

func revoked(document, text string) *rationale.Lifecycle {
	l := loaded(document)
	l.Event, l.Bytes, l.Digest, l.Signature = rationale.EventRevoked, []byte(text), rationale.Digest([]byte(text)), []byte("signed")
	return l
}

func versionOf(id string, number int, granted time.Time) *rationale.Lifecycle {
	l := loaded(id + ".yaml")
	l.Authorization = &rationale.AuthorizationRef{ID: id, Version: number, GrantedAt: granted}
	return l
}

// brief is what a past says, briefly.
func brief(past []*rationale.Lifecycle) (all []any) {
	for _, l := range past {
		if l.Event == rationale.EventRevoked {
			all = append(all, l.Document+": "+string(l.Bytes)+" "+string(l.Signature))
		} else {
			all = append(all, version{l.Authorization.ID, l.Authorization.Version, l.Authorization.GrantedAt.UTC()})
		}
	}
	return all
}

type version struct {
	id      string
	number  int
	granted time.Time
}

// What was revoked and which versions there were outlives processes, machines and
// segments.
func TestThePastOutlivesEverything(t *testing.T) {
	first, second, third := guardtest.Now(), guardtest.Now().Add(time.Hour), guardtest.Now().Add(2*time.Hour)
	fs, small := crashfs.New(), journal.WithRotation(journal.Rotation{Records: 4})
	l := openLedger(t, fs, small)
	unsigned := versionOf("one", 9, first)
	unsigned.Standing = rationale.StandingUnsigned
	other := versionOf("one", 5, first)
	other.Agent.ID = "b"
	require.NoError(t, l.Record(ctx,
		revoked("halt.yaml", "one"), revoked("halt.yaml", "two"), revoked("gone.yaml", "three"),
		versionOf("one", 1, first), versionOf("one", 3, third), versionOf("one", 2, second), versionOf("one", 1, second),
		versionOf("two", 1, second), versionOf("two", 2, first), unsigned, other))
	again, renamed := revoked("gone.yaml", "three again"), revoked("renamed.yaml", "two")
	again.Supersedes = rationale.Digest([]byte("three"))
	require.NoError(t, l.Record(ctx, again, renamed))
	for _, is := range []*rationale.Lifecycle{revoked("gone.yaml", "three"), revoked("halt.yaml", "one"), revoked("halt.yaml", "two")} {
		is.Event, is.Bytes, is.Signature = rationale.EventUnloaded, nil, nil
		require.NoError(t, l.Record(ctx, is))
	}

	want := []any{
		"halt.yaml: one signed", "renamed.yaml: two signed", "gone.yaml: three again signed",
		version{"one", 1, first},
		version{"one", 2, second},
		version{"one", 3, third},
		version{"two", 2, first},
	}
	check := func(l *ledger.Memory) {
		t.Helper()
		assert.ElementsMatch(t, want, brief(l.Past("a", "e")))
		assert.Equal(t, []any{version{"one", 5, first}}, brief(l.Past("b", "e")))
		assert.Empty(t, l.Past("a", "f"))
	}
	check(l)
	for range 2 { // the second start reads what the first has written
		require.NoError(t, l.Close())
		l = openLedger(t, fs, small)
		check(l)
	}
	for range 9 {
		require.NoError(t, l.Admit(ctx, guardtest.Denied()))
	}
	gone, err := l.Journal().Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	require.NotEmpty(t, gone)
	require.False(t, slices.ContainsFunc(recorded(fs), func(rec rationale.Record) bool {
		l, ok := rec.(*rationale.Lifecycle)
		return ok && l.Event == rationale.EventRevoked && l.Message == ""
	}), "the records themselves are gone")
	require.NoError(t, l.Close())
	check(openLedger(t, fs, small))
}
