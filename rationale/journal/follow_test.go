package journal_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// after returns the ids of the outcomes behind a head, and the head of the last
// record.
func after(t *testing.T, j *journal.Journal, head rationale.Head) ([]string, rationale.Head) {
	t.Helper()
	var found []string
	for e, err := range j.After(head) {
		require.NoError(t, err)
		head = rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: e.Hash}
		if o, ok := e.Record.(*rationale.Outcome); ok {
			found = append(found, o.ID)
		}
	}
	return found, head
}

func TestAfter(t *testing.T) {
	fs := crashfs.New()
	j, err := journal.Open(dir, journal.WithFS(fs), journal.WithRotation(journal.Rotation{Records: 3}))
	require.NoError(t, err)
	var head rationale.Head
	for i := range 10 {
		id := fmt.Sprint(i)
		require.NoError(t, j.Append(ctx, outcome(id)))
		var found []string
		found, head = after(t, j, head)
		assert.Equal(t, []string{id}, found)
		assert.Equal(t, j.Head(), head)
	}
	all, _ := after(t, j, rationale.Head{})
	assert.Len(t, all, 10)
	none, _ := after(t, j, head)
	assert.Empty(t, none)
	for range j.After(rationale.Head{}) {
		break
	}

	refused := func(head rationale.Head) error {
		for _, err := range j.After(head) {
			return err
		}
		return nil
	}
	other := head
	other.Hash = "sha256:00"
	assert.ErrorContains(t, refused(other), "another than the one that was kept")
	assert.ErrorIs(t, refused(rationale.Head{Journal: "another", Seq: 3}), journal.ErrMissing)
	kept := rationale.Head{}
	for e := range j.After(kept) {
		kept = rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: e.Hash}
		break
	}
	require.NoError(t, j.Close())

	// Over a restart the head that was kept still says where to go on.
	j, err = journal.Open(dir, journal.WithFS(fs), journal.WithRotation(journal.Rotation{Records: 3}), journal.WithState(&tally{}))
	require.NoError(t, err)
	require.NoError(t, j.Append(ctx, outcome("10")))
	found, _ := after(t, j, head)
	assert.Equal(t, []string{"10"}, found)
	_, err = j.Retire(ctx, journal.Retention{})
	require.NoError(t, err)
	assert.ErrorIs(t, refused(kept), journal.ErrMissing, "it was retired")
	require.NoError(t, j.Close())
}

// A repair in between loses no reader its place.
func TestAfterARepair(t *testing.T) {
	fs := damagedMiddle(t)
	var head rationale.Head
	for e, err := range journal.ReadFS(fs, dir) {
		if err == nil {
			head = rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: e.Hash}
		}
	}
	_, err := journal.Repair(dir, journal.WithFS(fs))
	require.NoError(t, err)
	j, err := journal.Open(dir, journal.WithFS(fs))
	require.NoError(t, err)
	require.NoError(t, j.Append(ctx, outcome("new")))
	found, now := after(t, j, head)
	assert.Equal(t, []string{"new"}, found)
	assert.Equal(t, j.Head(), now)
	require.NoError(t, j.Close())
}
