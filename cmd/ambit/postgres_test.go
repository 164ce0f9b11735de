package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/internal/pgserver"
)

// databases are those of the scripts, on one server.
var databases struct {
	once   sync.Once
	server *pgserver.Server
	err    error
	made   atomic.Int64
}

func startServer() {
	databases.once.Do(func() { databases.server, databases.err = pgserver.New(context.Background()) })
}

// stopServer ends the server, if a script needed it.
func stopServer() {
	if databases.server != nil {
		if err := databases.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// hasPostgres is the condition of scripts that need a server.
func hasPostgres(name string) (bool, error) {
	if name != "postgres" {
		return false, fmt.Errorf("there is no condition %q", name)
	}
	startServer()
	if errors.Is(databases.err, pgserver.ErrMissing) {
		return false, nil
	}
	return true, databases.err
}

// database makes an empty database, and puts its URL into a variable: database VARIABLE.
func database(ts *testscript.TestScript, _ bool, args []string) {
	name := fmt.Sprintf("script%d", databases.made.Add(1))
	statement(ts, false, []string{databases.server.URL("postgres"), "CREATE DATABASE " + name})
	ts.Setenv(args[0], databases.server.URL(name))
}

// statement changes a database, in one statement: sql URL STATEMENT.
func statement(ts *testscript.TestScript, _ bool, args []string) {
	conn, err := pgx.Connect(context.Background(), args[0])
	ts.Check(err)
	_, err = conn.Exec(context.Background(), args[1])
	ts.Check(errors.Join(err, conn.Close(context.Background())))
}

// shared writes the records of three calls, one allowed, one denied and one that waits, to a database: shared URL.
func shared(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, args[0])
	ts.Check(err)
	defer pool.Close()
	l, err := pgledger.Open(ctx, pool)
	ts.Check(err)
	d := guardtest.Allowed()
	ts.Check(errors.Join(l.Admit(ctx, d), l.Complete(ctx, guardtest.OutcomeOf(d)), l.Admit(ctx, guardtest.Denied()), l.Admit(ctx, guardtest.Pending()), l.Close()))
}
