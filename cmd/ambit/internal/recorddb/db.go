// Package recorddb has the records of journals as an SQLite database, and the
// auditor's questions as views of it. docs/sql.md documents the schema; tables.sql,
// indexes.sql, views.sql and the files in questions are all of it.
//
// It is the only importer of SQLite, which is modernc.org/sqlite: pure Go, so that the
// command line needs no C compiler.
package recorddb

import (
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Version of the schema, which is the file's user_version too. It rises when a
// table or a column changes its meaning or goes; a new one is not another version.
const Version = 1

//go:embed *.sql questions/*.sql
var texts embed.FS

// DB is a database of records. Its methods serve one goroutine.
type DB struct {
	sql    *sql.DB
	loader *loader
}

// Create makes the database in a file that is empty or not there. Bodies says
// whether the canonical text of each record is kept beside its columns. The caller
// calls [DB.Add] for each entry, then [DB.Finish], and closes the database.
//
// Nothing is durable before Close has returned: the file is for whoever renames it then.
func Create(file string, bodies bool) (*DB, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	db, err := create((&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String(), bodies)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return db, nil
}

func create(source string, bodies bool) (*DB, error) {
	pool, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1) // the pragmas are of one connection
	db := &DB{sql: pool}
	if err := db.begin(bodies); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) begin(bodies bool) error {
	err := db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = FILE;`)
	if err == nil {
		err = db.script("tables.sql")
	}
	if err == nil {
		db.loader, err = newLoader(db.sql, bodies)
	}
	return err
}

// Finish ends the loading: it reads the documents, makes the indexes and the views,
// and sets the time as of which the questions are asked.
func (db *DB) Finish(now time.Time) error {
	if err := db.loader.finish(); err != nil {
		return err
	}
	for _, name := range []string{"indexes.sql", "views.sql"} {
		if err := db.script(name); err != nil {
			return err
		}
	}
	questions, err := texts.ReadDir("questions")
	if err != nil {
		return err
	}
	for _, file := range questions { // in the order of their names
		if err := db.script("questions/" + file.Name()); err != nil {
			return err
		}
	}
	if err := db.Set("now", now.UTC().Format(time.RFC3339Nano)); err != nil {
		return err
	}
	_, err = db.sql.Exec(`INSERT INTO meta VALUES ('schema', 'ambit records'), ('version', ?), ('made_at', ?)`, Version, moment(now))
	return err
}

// Close closes the file.
func (db *DB) Close() error { return db.sql.Close() }

func (db *DB) script(name string) error {
	text, err := texts.ReadFile(name)
	if err != nil {
		return err
	}
	if err := db.exec(string(text)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (db *DB) exec(text string) error {
	_, err := db.sql.Exec(text)
	return err
}
