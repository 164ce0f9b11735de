package pgledger_test

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/rationale"
)

var (
	_ guard.Ledger           = (*pgledger.Ledger)(nil)
	_ guardtest.PeopleLedger = (*pgledger.Ledger)(nil)
)

func TestLedgerContract(t *testing.T) {
	guardtest.TestLedger(t, func(t *testing.T) guardtest.LedgerUnderTest {
		url := migrated(t, server(t))
		var failing atomic.Pointer[error]
		l := openOn(t, newPool(t, url, func(c *pgxpool.Config) {
			c.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) {
				if err := failing.Load(); err != nil {
					return false, *err
				}
				return true, nil
			}
		}))
		return guardtest.LedgerUnderTest{
			Ledger:  l,
			Records: func() []rationale.Record { return recorded(t, url) },
			Fail: func(err error) {
				if failing.Store(nil); err != nil {
					failing.Store(&err)
				}
			},
		}
	})
}

func TestPeopleContract(t *testing.T) {
	guardtest.TestPeople(t, func(t *testing.T) guardtest.PeopleLedger { return open(t, migrated(t, server(t))) })
}

func TestLimitsContract(t *testing.T) {
	guardtest.TestLimits(t, func(t *testing.T) guardtest.LimitsLedger { return open(t, migrated(t, server(t))) })
}

func TestNotificationsContract(t *testing.T) {
	guardtest.TestNotifications(t, func(t *testing.T) guardtest.NotifyingLedger { return open(t, migrated(t, server(t))) })
}

// Its timer for the next review that falls due would go on without it.
func TestCloseEndsNotifications(t *testing.T) {
	l := open(t, migrated(t, server(t)))
	tells := func() bool {
		return !reflect.ValueOf(l.Memory).Elem().FieldByName("notifying").FieldByName("to").IsNil()
	}
	l.Notify(func(rationale.Notification) {})
	require.True(t, tells())
	require.NoError(t, l.Close())
	require.False(t, tells())
}

var errNotOpen = ledger.ErrNotOpen

// recorded returns the records in a database, but for snapshots.
func recorded(t testing.TB, url string) []rationale.Record {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(context.Background(), "SELECT body FROM ambit.records WHERE kind <> 'snapshot' ORDER BY seq")
	require.NoError(t, err)
	recs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (rationale.Record, error) {
		var body []byte
		if err := row.Scan(&body); err != nil {
			return nil, err
		}
		return rationale.Unmarshal(body)
	})
	require.NoError(t, err)
	return recs
}
