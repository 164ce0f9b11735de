package pgledger_test

import (
	"context"
	"log"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
)

// One replica of a Deployment. The tables were made by 'ambit migrate' before.
func ExampleOpen() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://ambit_replica@db.example/ambit?target_session_attrs=read-write")
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	evidence, err := pgledger.Open(ctx, pool)
	if err != nil {
		log.Fatal(err)
	}
	defer evidence.Close()
	g, err := guard.New(guardtest.Documents(), guard.Agent{ID: "payments-autoscaler", Environment: "prod"}, guard.WithLedger(evidence))
	if err != nil {
		log.Fatal(err)
	}
	_ = g // goes around the agent's tools
}
