package pgledger_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/internal/pgserver"
)

// shared is the server of all tests that do not end it.
var shared struct {
	once      sync.Once
	server    *pgserver.Server
	err       error
	databases atomic.Int64
}

func TestMain(m *testing.M) {
	if work := os.Getenv(workerVariable); work != "" {
		os.Exit(worker(work))
	}
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// server returns the server of all tests. Without PostgreSQL the test is skipped.
func server(t testing.TB) *pgserver.Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = pgserver.New(context.Background()) })
	if errors.Is(shared.err, pgserver.ErrMissing) {
		t.Skip(shared.err)
	}
	require.NoError(t, shared.err)
	return shared.server
}

// ownServer returns a server that the test may end.
func ownServer(t testing.TB, options ...string) *pgserver.Server {
	t.Helper()
	s, err := pgserver.New(t.Context(), options...)
	if errors.Is(err, pgserver.ErrMissing) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// empty makes a database, and returns its URL.
func empty(t testing.TB, s *pgserver.Server) string {
	t.Helper()
	name := fmt.Sprintf("test%d", shared.databases.Add(1))
	conn := connect(t, s.URL("postgres"))
	_, err := conn.Exec(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	return s.URL(name)
}

// migrated makes a database with the tables, and returns its URL.
func migrated(t testing.TB, s *pgserver.Server) string {
	t.Helper()
	url := empty(t, s)
	_, err := pgledger.Migrate(t.Context(), connect(t, url))
	require.NoError(t, err)
	return url
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// newPool returns a pool that is closed after the ledgers on it.
func newPool(t testing.TB, url string, changes ...func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	require.NoError(t, err)
	for _, change := range changes {
		change(config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// open opens a replica with a pool of its own.
func open(t testing.TB, url string, opts ...pgledger.Option) *pgledger.Ledger {
	t.Helper()
	return openOn(t, newPool(t, url), opts...)
}

func openOn(t testing.TB, pool *pgxpool.Pool, opts ...pgledger.Option) *pgledger.Ledger {
	t.Helper()
	l, err := pgledger.Open(t.Context(), pool, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}
