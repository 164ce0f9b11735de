// Package postgres is the cases of the shared ledger, on a PostgreSQL server of their own: admit-pg is the admission of a
// call that takes of a window, and pg-floor the least that any ledger there must do: a transaction, in one round trip, that updates
// one row and inserts one of the same size. Both wait for the server's fsync.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/internal/pgserver"
	"github.com/ambit-go/ambit/rationale"
)

// Missing reports whether an error is that of a machine without PostgreSQL.
func Missing(err error) bool { return errors.Is(err, pgserver.ErrMissing) }

// Cases returns the cases. Close ends the server.
func Cases() (cases []measure.Case, closing func(), err error) {
	ctx := context.Background()
	s, err := pgserver.New(ctx)
	if err != nil {
		return nil, nil, err
	}
	b := &bench{server: s}
	if err := b.begin(ctx); err != nil {
		b.close()
		return nil, nil, fmt.Errorf("case admit-pg: %w", err)
	}
	return []measure.Case{
		{Name: "admit-pg", Impls: []measure.Impl{{Name: "ambit", Run: b.admit, After: b.complete}}},
		{Name: "pg-floor", Impls: []measure.Impl{{Name: "pg-floor", Run: b.floor, After: func() error { return b.failed }}}},
	}, b.close, nil
}

// bench is a ledger, and a connection to the same server.
type bench struct {
	server *pgserver.Server
	pool   *pgxpool.Pool
	ledger *pgledger.Ledger
	conn   *pgx.Conn
	body   []byte                // as large as the record of a call
	calls  []*rationale.Decision // admitted since complete was asked
	failed error
}

// floorTables are those of the floor, made as the ledger's are.
const floorTables = `
	CREATE TABLE floor_log (seq bigint NOT NULL) WITH (fillfactor = 10);
	INSERT INTO floor_log VALUES (0);
	CREATE TABLE floor_records (seq bigint PRIMARY KEY, body bytea NOT NULL) WITH (toast_tuple_target = 8160)`

func (b *bench) begin(ctx context.Context) (err error) {
	url := b.server.URL("postgres")
	if b.conn, err = pgx.Connect(ctx, url); err != nil {
		return err
	}
	if _, err = pgledger.Migrate(ctx, b.conn); err != nil {
		return err
	}
	if _, err = b.conn.Exec(ctx, floorTables, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	if b.pool, err = pgxpool.New(ctx, url); err != nil {
		return err
	}
	if b.ledger, err = pgledger.Open(ctx, b.pool); err != nil {
		return err
	}
	d := draft()
	if err := b.ledger.Admit(ctx, d); err != nil {
		return err
	}
	b.calls = append(b.calls, d)
	b.body, err = rationale.Marshal(d)
	return err
}

func (b *bench) close() {
	if b.ledger != nil {
		_ = b.ledger.Close()
	}
	if b.pool != nil {
		b.pool.Close()
	}
	if b.conn != nil {
		_ = b.conn.Close(context.Background())
	}
	_ = b.server.Close()
}

// draft returns the draft of a call that takes of a window of a day, as large as most are.
func draft() *rationale.Decision {
	d := guardtest.Allowed()
	d.Class, d.BaseTier = "scaling.horizontal", classify.Parameterized
	d.Tool = rationale.Tool{Name: "k8s.scale_deployment", Digest: rationale.Digest([]byte("tool"))}
	d.Arguments = []byte(`{"instance_type":"m7g.large","kind":"Deployment","region":"eu-west-1","replicas":12,"ticket":"CHG-2026-104482","workload":"payments-api"}`)
	d.ArgumentsDigest, d.ActionDigest = rationale.Digest(d.Arguments), rationale.Digest([]byte(d.ID))
	d.Authorization = &rationale.AuthorizationRef{
		ID: "payments-autoscaler", Version: 4, Digest: rationale.Digest([]byte("document")), Owner: "m.okafor@bank.example",
		GrantedBy: []string{"j.lindqvist@bank.example"}, GrantedAt: d.At.Add(-time.Hour), Expires: d.At.Add(time.Hour), NextReview: d.At.Add(time.Hour),
	}
	for i, why := range []string{"CAP-114 capacity envelope", "at most double per step", "outside of the change freeze"} {
		d.Checks = append(d.Checks, rationale.Check{
			Kind: rationale.CheckBound, ID: fmt.Sprintf("bounds[%d]", i+1), Why: why, Result: rationale.Passed,
			Inputs: []rationale.Input{{Path: "args.replicas", Value: []byte("12")}, {Path: "facts.current_replicas", Value: []byte("10")}},
		})
	}
	d.Spend = &rationale.Spend{Currency: "EUR", Amount: "4.57", Basis: "quantity", Quantity: "2", Unit: "m7g.large", Price: "0.0952", CostCentre: "CC-4471"}
	d.Limits = []rationale.Limit{{Kind: rationale.CheckWindow, ID: "windows[0]", Max: "1000000000", Currency: "EUR", Per: "24h0m0s"}}
	d.Rationale = &rationale.Rationale{Purpose: "The queue of payments-api grows by 200 a second.", Expected: "It is empty within five minutes.", Fallback: "k8s.rollout_undo"}
	return d
}

func (b *bench) admit(n int) int {
	allowed := 0
	for range n {
		d := draft()
		if err := b.ledger.Admit(context.Background(), d); err != nil {
			b.failed = errors.Join(b.failed, err)
		} else if d.Verdict == rationale.Allow {
			b.calls = append(b.calls, d)
			allowed++
		}
	}
	return allowed
}

// complete gives the calls their outcomes: so many may be open, and no more.
func (b *bench) complete() error {
	errs := make([]error, len(b.calls))
	var all sync.WaitGroup
	for i, d := range b.calls {
		all.Go(func() {
			o := guardtest.OutcomeOf(d)
			o.Spent = d.Spend.Amount
			errs[i] = b.ledger.Complete(context.Background(), o)
		})
	}
	all.Wait()
	b.calls = b.calls[:0]
	return errors.Join(b.failed, errors.Join(errs...))
}

func (b *bench) floor(n int) int {
	for range n {
		tag, err := b.conn.Exec(context.Background(),
			"WITH moved AS (UPDATE floor_log SET seq = seq + 1 RETURNING seq) INSERT INTO floor_records SELECT seq, $1 FROM moved", b.body)
		if err == nil && tag.RowsAffected() != 1 {
			err = fmt.Errorf("the floor's statement did %q", tag)
		}
		b.failed = errors.Join(b.failed, err)
	}
	return n
}
