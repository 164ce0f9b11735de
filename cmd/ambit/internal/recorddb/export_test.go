package recorddb

import "database/sql"

// SQL is the database, for tests that look into tables.
func (db *DB) SQL() *sql.DB { return db.sql }

// Parts is parts.
func Parts(amount string) (whole, nano any) { return parts(amount) }

// Same is same.
func Same(id string) string { return same(id) }

// Known is how many people are remembered while loading.
func (db *DB) Known() int { return len(db.loader.known) }
