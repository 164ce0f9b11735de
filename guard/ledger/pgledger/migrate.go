package pgledger

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// migration is one step of the tables' history. Its number is its place in it.
type migration struct {
	name string
	// serves is the number of the oldest version of this package, as it counts
	// migrations, that still works once it is applied: the replicas that run while the
	// next version is rolled out.
	serves int
}

var history = []migration{
	{"0001_ledger.sql", 1},
}

//go:embed migrations/*.sql
var scripts embed.FS

// ErrVersion is the error of tables that are not there, or that are those of another version.
var ErrVersion = errors.New("pgledger: the tables are not those of this version")

// lockMigrations is the key of the advisory lock that migrations take.
const lockMigrations = 0x616d626974 // "ambit"

// Migrate makes the tables of this version, in the schema ambit, or brings older ones
// up to it, and returns the names of the migrations that it applied; none if there was
// nothing to do. It is one transaction, and one of many that do it at the same time.
// Tables of a newer version are [ErrVersion], and left alone.
//
// It needs the right to create a schema, and its role owns what it makes.
func Migrate(ctx context.Context, conn *pgx.Conn) (applied []string, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		applied, err = migrate(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pgledger: migrate: %w", err)
	}
	return applied, nil
}

func migrate(ctx context.Context, tx pgx.Tx) (applied []string, err error) {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockMigrations)); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `
		CREATE SCHEMA IF NOT EXISTS ambit;
		CREATE TABLE IF NOT EXISTS ambit.migrations (
			number integer PRIMARY KEY, name text NOT NULL, serves integer NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp()
		)`, pgx.QueryExecModeSimpleProtocol); err != nil {
		return nil, err
	}
	at, serves, err := version(ctx, tx)
	if err != nil {
		return nil, err
	}
	if at > len(history) {
		return nil, fmt.Errorf("%w: they are at migration %d, which serves versions from %d on; this one ends with %d: use the newer program", ErrVersion, at, serves, len(history))
	}
	for i, m := range history[at:] {
		script, err := scripts.ReadFile("migrations/" + m.name)
		if err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, string(script), pgx.QueryExecModeSimpleProtocol); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO ambit.migrations (number, name, serves) VALUES ($1, $2, $3)", at+i+1, m.name, m.serves); err != nil {
			return nil, err
		}
		applied = append(applied, m.name)
	}
	return applied, nil
}

// querier is a connection, a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// version returns the number of the last migration, and the oldest version that it serves.
func version(ctx context.Context, q querier) (at, serves int, err error) {
	err = q.QueryRow(ctx, "SELECT coalesce(max(number), 0), coalesce(max(serves), 0) FROM ambit.migrations").Scan(&at, &serves)
	return at, serves, err
}

// checkVersion reports whether this version can work on the tables that there are.
func checkVersion(ctx context.Context, q querier) error {
	at, serves, err := version(ctx, q)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && (e.Code == "42P01" || e.Code == "3F000") { // no such table, or schema
		at, err = 0, nil
	}
	switch {
	case err != nil:
		return err
	case at == 0:
		return fmt.Errorf("%w: there are none: run 'ambit migrate'", ErrVersion)
	case at < len(history):
		return fmt.Errorf("%w: they are at migration %d, and it needs %d: run 'ambit migrate'", ErrVersion, at, len(history))
	case serves > len(history):
		return fmt.Errorf("%w: they are at migration %d, which serves versions from %d on; this one ends with %d: use the newer program", ErrVersion, at, serves, len(history))
	}
	return nil
}
