package pgledger_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
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
