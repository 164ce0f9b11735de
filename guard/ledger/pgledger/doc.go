// Package pgledger is the home of the ledger on PostgreSQL, for replicas.
//
// All replicas share one log of records, in one order and in one chain of hashes. Each
// keeps the state of [ledger.Memory] in memory, as that log amounts to, and decides on
// it by the same code as a single process on files does. What it decided is appended
// only if nobody else has appended since: one call of a function in the database, in
// one round trip, is the admission and the record of its decision, or neither. Otherwise the
// replica takes in what the others appended, and decides again, this time with the end of
// the log locked, so that it is served in turn.
//
// The database's clock decides. A replica without the database denies. Where a connection is lost before the
// answer came, the call is denied, and whether its decision is in the log is read from the log
// afterwards, never guessed.
//
//	pool, err := pgxpool.New(ctx, url)
//	evidence, err := pgledger.Open(ctx, pool)
//	g, err := guard.New(documents, agent, guard.WithLedger(evidence))
//
// The tables are made by 'ambit migrate' or [Migrate]. What it costs, which rights a replica needs and what
// a failover loses is in docs/postgres.md.
package pgledger
