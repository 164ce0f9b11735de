package pgledger_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/rationale"
)

func TestMigrate(t *testing.T) {
	url := empty(t, server(t))
	_, err := pgledger.Open(t.Context(), newPool(t, url))
	require.ErrorIs(t, err, pgledger.ErrVersion)
	require.ErrorContains(t, err, "run 'ambit migrate'")

	conns := make([]*pgx.Conn, 8)
	for i := range conns {
		conns[i] = connect(t, url)
	}
	var (
		all     sync.WaitGroup
		mu      sync.Mutex
		applied []string
	)
	for _, conn := range conns {
		all.Go(func() {
			names, err := pgledger.Migrate(t.Context(), conn)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			applied = append(applied, names...)
		})
	}
	all.Wait()
	assert.Equal(t, []string{"0001_ledger.sql"}, applied, "one of those that migrate at the same time")
	open(t, url)
}

// A migration that fails leaves nothing behind.
func TestMigrateIsAllOrNothing(t *testing.T) {
	url := empty(t, server(t))
	conn := connect(t, url)
	_, err := conn.Exec(t.Context(), "CREATE SCHEMA ambit; CREATE TABLE ambit.cursors ()")
	require.NoError(t, err)
	_, err = pgledger.Migrate(t.Context(), conn)
	require.ErrorContains(t, err, "0001_ledger.sql")
	var tables int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'ambit'").Scan(&tables))
	assert.Equal(t, 1, tables)
}

// Tables of a newer version are left alone; whether this one works on them is for the newer one to say.
func TestTablesOfANewerVersion(t *testing.T) {
	url := migrated(t, server(t))
	conn := connect(t, url)
	future := func(serves int) {
		_, err := conn.Exec(t.Context(), "INSERT INTO ambit.migrations VALUES ($1, 'later.sql', $2)", 98+serves, serves)
		require.NoError(t, err)
	}
	future(1)
	_, err := pgledger.Migrate(t.Context(), conn)
	require.ErrorIs(t, err, pgledger.ErrVersion)
	require.ErrorContains(t, err, "migration 99")
	require.NoError(t, open(t, url).Admit(t.Context(), guardtest.Denied()), "a replica while the next version is rolled out")
	future(2)
	_, err = pgledger.Open(t.Context(), newPool(t, url))
	require.ErrorIs(t, err, pgledger.ErrVersion)
	require.ErrorContains(t, err, "serves versions from 2 on")
}

// Records of a kind that this version does not know may decide what it may do: it denies, and says why.
func TestARecordOfANewerVersionDenies(t *testing.T) {
	for name, test := range map[string]struct {
		kind, body string
		want       string
	}{
		"kind":     {"delegation", `{"at":"2026-11-02T09:30:00Z","id":"x","kind":"delegation"}`, `of kind "delegation"`},
		"snapshot": {"snapshot", `{"at":"2026-11-02T09:30:00Z","id":"x","kind":"snapshot","state":{"version":99}}`, "its state has version 99"},
		"damaged":  {"decision", `{"at":"2026-11-02T09:30:00Z","id":"x","kind":"decision","verdict":7}`, "record 2"},
	} {
		t.Run(name, func(t *testing.T) {
			url := migrated(t, server(t))
			l := open(t, url)
			require.NoError(t, l.Admit(t.Context(), guardtest.Denied()))
			require.NoError(t, l.Healthy())
			write(t, url, test.kind, test.body)
			for range 2 {
				d := guardtest.Allowed()
				require.ErrorContains(t, l.Admit(t.Context(), d), test.want)
			}
			require.ErrorContains(t, l.Healthy(), "until it is started again")
			_, err := pgledger.Open(t.Context(), newPool(t, url))
			require.ErrorContains(t, err, test.want)
		})
	}
}

// write appends a record as another program does.
func write(t testing.TB, url, kind, body string) {
	t.Helper()
	conn := connect(t, url)
	var before, after int64
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT seq FROM ambit.log").Scan(&before))
	require.NoError(t, conn.QueryRow(t.Context(), `
		SELECT a.seq FROM ambit.log l, ambit.append(l.seq, l.hash, clock_timestamp(), ARRAY[$1], ARRAY['x'], ARRAY[convert_to($2, 'UTF8')]) a`,
		kind, body).Scan(&after))
	require.Equal(t, before+1, after)
}

// The state of the version before this one can be read: what is spent and held counts.
func TestASnapshotOfTheVersionBefore(t *testing.T) {
	url := migrated(t, server(t))
	write(t, url, "snapshot", `{"at":"2026-11-02T09:30:00Z","id":"x","kind":"snapshot","state":{"version":1,"open":[{"decision":"d1","at":"2026-11-02T09:29:00Z","segment":1}],"latest":"2026-11-02T09:30:00Z"}}`)
	l := open(t, url)
	require.NoError(t, l.Expire(t.Context()))
	recs := recorded(t, url)
	require.Len(t, recs, 1)
	assert.Equal(t, "d1", recs[0].(*rationale.Outcome).Decision)
}

// A replica that starts reads the last snapshot and what follows it, and knows what the others know.
func TestAReplicaStartsFromASnapshot(t *testing.T) {
	url := migrated(t, server(t))
	a, b := open(t, url, pgledger.WithSnapshotEvery(10)), open(t, url, pgledger.WithSnapshotEvery(10))
	now := time.Now()
	require.NoError(t, a.Record(t.Context(), &rationale.Lifecycle{
		ID: rationale.NewID(now), At: now, Event: rationale.EventLoaded, Agent: rationale.Agent{ID: "a", Environment: "e"},
		Authorization: &rationale.AuthorizationRef{ID: "one", Version: 4, GrantedAt: now},
	}))
	for i := range 50 {
		d := spending("1")
		l := []*pgledger.Ledger{a, b}[i%2]
		require.NoError(t, l.Admit(t.Context(), d))
		if i%3 == 0 {
			require.NoError(t, l.Complete(t.Context(), guardtest.OutcomeOf(d)))
		}
	}
	conn := connect(t, url)
	var snapshots int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM ambit.records WHERE kind = 'snapshot'").Scan(&snapshots))
	assert.InDelta(t, 67/11, snapshots, 1)
	_, err := conn.Exec(t.Context(), "DELETE FROM ambit.records WHERE seq < (SELECT snapshot FROM ambit.log)")
	require.NoError(t, err)
	c := open(t, url)
	require.NoError(t, pgledger.Refresh(t.Context(), a))
	_, err = pgledger.Open(t.Context(), newPool(t, url), pgledger.WithSnapshotEvery(0))
	require.ErrorContains(t, err, "want 1 or more")
	assert.Len(t, c.Past("a", "e"), 1)
	now = time.Now()
	assert.Equal(t, a.Budgets(now), c.Budgets(now))
	assert.Equal(t, a.Status(now), c.Status(now))
	assert.Equal(t, ledger.Status{Open: 33}, c.Status(now))
}

// A database that lost records, as after a failover to a server that was behind, is not one to decide on.
func TestALogWithAnotherPastDenies(t *testing.T) {
	for name, change := range map[string]string{
		"cut":     "DELETE FROM ambit.records WHERE seq = 3; UPDATE ambit.log SET seq = 2, hash = (SELECT prev FROM removed)",
		"another": "UPDATE ambit.log SET hash = sha256('other')",
		"rewritten": `UPDATE ambit.log SET seq = 4, hash = sha256('other');
			INSERT INTO ambit.records SELECT 4, at, kind, 'y', prev, body FROM ambit.records WHERE seq = 3`,
	} {
		t.Run(name, func(t *testing.T) {
			url := migrated(t, server(t))
			l := open(t, url)
			for range 3 {
				require.NoError(t, l.Admit(t.Context(), guardtest.Denied()))
			}
			conn := connect(t, url)
			_, err := conn.Exec(t.Context(), "CREATE TEMP TABLE removed AS SELECT prev FROM ambit.records WHERE seq = 3")
			require.NoError(t, err)
			for statement := range strings.SplitSeq(change, ";") {
				_, err = conn.Exec(t.Context(), statement)
				require.NoError(t, err)
			}
			err = l.Admit(t.Context(), guardtest.Denied())
			require.ErrorContains(t, err, "until it is started again")
			require.Error(t, l.Healthy())
		})
	}
}

// A database that would acknowledge what it can lose is not one to record in.
func TestACommitHasToBeDurable(t *testing.T) {
	url := migrated(t, server(t))
	for _, setting := range []string{"synchronous_commit=off", "synchronous_commit=local", "default_transaction_isolation=serializable"} {
		name, value, _ := strings.Cut(setting, "=")
		l := open(t, url+"&"+name+"="+value)
		require.ErrorContains(t, l.Admit(t.Context(), guardtest.Denied()), "ambit: ", setting)
	}
	l := open(t, url)
	assert.NoError(t, l.Admit(t.Context(), guardtest.Denied()))
	unsafe := ownServer(t, "fsync=off")
	l = open(t, migrated(t, unsafe))
	require.ErrorContains(t, l.Admit(t.Context(), guardtest.Denied()), "fsync is off")
}
