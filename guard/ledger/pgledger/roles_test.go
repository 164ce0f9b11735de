package pgledger_test

import (
	"context"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// grants returns the statements of docs/postgres.md that make the roles.
func grants(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/postgres.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), "```sql\n")
	require.True(t, found)
	text, _, _ := strings.Cut(rest, "```")
	return text
}

// as returns the URL of a database for another role.
func as(t *testing.T, role, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.User = url.User(role)
	return u.String()
}

// Whoever may connect can take the lock of whoever delivers. Replicas do not take that for a delivery.
func TestALockThatNobodyDeliversUnder(t *testing.T) {
	s := ownServer(t)
	owner := migrated(t, s)
	_, err := connect(t, owner).PgConn().Exec(t.Context(), grants(t)).ReadAll()
	require.NoError(t, err)
	reader := connect(t, as(t, "ambit_reader", owner))
	_, err = reader.Exec(t.Context(), "SELECT pg_advisory_lock(hashtextextended('ambit deliver otlp', 0))")
	require.NoError(t, err)

	const why = `the role ambit_reader holds the lock of whoever delivers as "otlp", and has no right to deliver, so nobody does: end its session`
	replica := as(t, "ambit_replica", owner)
	l := open(t, replica)
	require.NoError(t, l.Admit(t.Context(), guardtest.Denied()))
	f := l.Follow("otlp")
	_, err = f.Begin()
	require.NoError(t, err)
	require.Equal(t, uint64(1), f.Head().Seq, "it is not delivered")
	for _, err := range f.After(rationale.Head{}) {
		require.ErrorContains(t, err, why)
	}
	require.NoError(t, f.Close())

	var to, others tracetest.InMemoryExporter
	says := make(chan error, 1)
	deliver := func(to *tracetest.InMemoryExporter) *otelx.Delivery {
		l := open(t, replica)
		require.NoError(t, l.Admit(t.Context(), guardtest.Denied()))
		d, err := otelx.NewDelivery(l.Follow("otlp"), to, otelx.WithErrorHandler(func(err error) {
			select {
			case says <- err:
			default:
			}
		}))
		require.NoError(t, err)
		t.Cleanup(func() { _ = d.Shutdown(context.Background()) })
		return d
	}
	first, second := deliver(&to), deliver(&others)
	require.ErrorContains(t, <-says, why)
	for first.Healthy() == nil || second.Healthy() == nil { // both say so
		runtime.Gosched()
	}
	require.NoError(t, reader.Close(t.Context()))
	for len(to.GetSpans())+len(others.GetSpans()) < 3 || first.Healthy() != nil || second.Healthy() != nil {
		runtime.Gosched()
	}
}

// The roles of the documentation can do their work, and cannot change a record.
func TestRoles(t *testing.T) {
	s := ownServer(t)
	owner := migrated(t, s)
	_, err := connect(t, owner).PgConn().Exec(t.Context(), grants(t)).ReadAll()
	require.NoError(t, err)

	replica := as(t, "ambit_replica", owner)
	l := open(t, replica, pgledger.WithSnapshotEvery(2))
	d := guardtest.Allowed()
	require.NoError(t, l.Admit(t.Context(), d))
	require.NoError(t, l.Complete(t.Context(), guardtest.OutcomeOf(d)))
	require.NoError(t, l.Admit(t.Context(), guardtest.Denied()))
	f := l.Follow("otlp")
	_, err = f.Begin()
	require.NoError(t, err)
	require.NoError(t, f.Keep(journal.Place{}))
	require.NoError(t, f.Reject([]byte("{}")))
	require.NoError(t, f.SetRejected(nil))
	_, err = l.Retire(t.Context(), time.Now())
	require.ErrorContains(t, err, "permission denied")
	_, err = open(t, as(t, "ambit_keeper", owner)).Retire(t.Context(), time.Now())
	require.NoError(t, err)

	reader := connect(t, as(t, "ambit_reader", owner))
	n := 0
	for _, err := range pgledger.Read(t.Context(), reader) {
		require.NoError(t, err)
		n++
	}
	assert.Equal(t, 4, n)
	for role, statements := range map[string][]string{
		"ambit_replica": {
			"INSERT INTO ambit.records VALUES (9, now(), 'decision', 'x', '', '')", "UPDATE ambit.records SET body = ''", "DELETE FROM ambit.records",
			"TRUNCATE ambit.records", "UPDATE ambit.log SET seq = 0", "SELECT FROM ambit.log FOR UPDATE", "SELECT ambit.retire(9)",
			"CREATE TABLE ambit.mine ()", "ALTER FUNCTION ambit.append STABLE",
		},
		"ambit_reader": {
			"SELECT ambit.append(0, '', now(), '{}', '{}', '{}')", "SELECT ambit.hold(0)", "UPDATE ambit.cursors SET place = '{}'",
			"DELETE FROM ambit.records",
		},
	} {
		conn := connect(t, as(t, role, owner))
		for _, statement := range statements {
			_, err := conn.Exec(t.Context(), statement)
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused, "%s: %s", role, statement)
			assert.Equal(t, "42501", refused.Code, "%s: %s: %v", role, statement, err)
		}
	}
}
