package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// connectTimeout bounds how long a database may take to answer.
const connectTimeout = 15 * time.Second

// postgresFlag is the usage of the flag that names a database.
const postgresFlag = "the `URL` of a PostgreSQL database with a shared ledger, such as postgres://ambit@db.example/ambit; the password is better in PGPASSWORD or ~/.pgpass"

// postgres connects to a database, until the process is interrupted.
func postgres(url string) (ctx context.Context, conn *pgx.Conn, disconnect func(), err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	within, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if conn, err = pgx.Connect(within, url); err != nil {
		stop()
		return nil, nil, nil, err
	}
	return ctx, conn, func() {
		_ = conn.Close(ctx) // nothing is open
		stop()
	}, nil
}

// oneLine is an error's text on one line, without anything that acts upon a terminal:
// what a database driver says has several.
func oneLine(err error) string {
	return rationale.Printable(strings.NewReplacer(":\n\t", ": ", "\n\t", "; ").Replace(err.Error()))
}

// evidenceOf yields the records of paths or, where it is given, of a database.
func evidenceOf(paths []string, url string) (entries iter.Seq2[journal.Entry, error], done func(), err error) {
	if url == "" {
		return journal.Read(paths...), func() {}, nil
	}
	ctx, conn, disconnect, err := postgres(url)
	if err != nil {
		return nil, nil, err
	}
	return pgledger.Read(ctx, conn), disconnect, nil
}

// oneSource checks that records are read from paths or from a database.
func (f flags) oneSource(paths []string, url string) (code int) {
	if (len(paths) == 0) == (url == "") {
		return f.misuse("want one or more evidence folders, or a database with -postgres")
	}
	return -1
}

const migrateHelp = `
Usage: ambit migrate -postgres URL [-o table|json]

Makes the tables of the shared ledger in a PostgreSQL database, in the schema ambit, or brings
those of an older version up to this one, in one transaction. Run it before the replicas of a new
version start: those of the version before go on. Again, it does nothing.

The role needs the right to create a schema, and owns what it makes. docs/postgres.md has the
roles of replicas and readers, which need less.

Exits with 0 when the tables are those of this version, 1 when they are not, 2 on misuse.
`

func migrate(t *terminal, args []string) int {
	f := newFlags(t, "migrate", migrateHelp)
	url := f.String("postgres", "", postgresFlag)
	out := f.output("table", "json")
	if _, code := f.parse(args, "no arguments", 0, 0); code >= 0 {
		return code
	}
	if err := oneOf(*out, "table", "json"); err != nil {
		return f.misuse(err.Error())
	}
	if *url == "" {
		return f.misuse("want a database with -postgres URL")
	}
	applied, err := migrated(*url)
	if err != nil {
		fmt.Fprintf(t.err, "ambit migrate: %s\n", oneLine(err))
		return exitFailed
	}
	if *out == "json" {
		return t.migratedJSON(applied)
	}
	for _, name := range applied {
		fmt.Fprintln(t.out, "applied", name)
	}
	if len(applied) == 0 {
		fmt.Fprint(t.out, "Nothing to do: ")
	}
	fmt.Fprintln(t.out, "The tables are those of this version.")
	return exitOK
}

func (t *terminal) migratedJSON(applied []string) int {
	if applied == nil {
		applied = []string{}
	}
	line, err := json.Marshal(map[string][]string{"applied": applied})
	if err != nil {
		fmt.Fprintf(t.err, "ambit migrate: %v\n", err)
		return exitFailed
	}
	fmt.Fprintln(t.out, string(line))
	return exitOK
}

func migrated(url string) ([]string, error) {
	ctx, conn, disconnect, err := postgres(url)
	if err != nil {
		return nil, err
	}
	defer disconnect()
	return pgledger.Migrate(ctx, conn)
}
