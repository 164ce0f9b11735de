package recorddb

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Question is one that an auditor asks; its answer is the view q_NAME.
type Question struct {
	Name       string
	Asks       string   // the question
	Parameters []string // that its view goes by, beside now and since
	PerAct     bool     // it answers for every act, or decision, and not only for exceptions and sums
}

// Parameter is a value that questions go by.
type Parameter struct {
	Name  string
	Value string // the default, as Set takes it; empty: none
	Unit  string // time, duration, percent or count
	Says  string // what it is
}

// Finding is one row of an answer.
type Finding struct {
	Exception bool   // somebody must look at it; else it is a note
	Sentence  string // the finding for a person; not escaped
	// Columns are those of the view, with their values: a string, an int64 or nil.
	// Finding and sentence are among them.
	Columns []string
	Values  []any
}

// Catalogue returns the questions, and the parameters with their defaults.
func Catalogue() (questions []Question, parameters []Parameter, err error) {
	db, err := create(":memory:", false)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Finish(time.Time{}); err != nil {
		return nil, nil, err
	}
	if questions, err = db.questions(); err != nil {
		return nil, nil, err
	}
	parameters, err = db.parameters()
	return questions, parameters, err
}

func (db *DB) questions() (all []Question, err error) {
	err = db.each(`SELECT name, asks, parameters, per_act FROM question ORDER BY number`, func(rows *sql.Rows) error {
		var q Question
		var names string
		err := rows.Scan(&q.Name, &q.Asks, &names, &q.PerAct)
		if names != "" {
			q.Parameters = strings.Split(names, ", ")
		}
		all = append(all, q)
		return err
	})
	return all, err
}

func (db *DB) parameters() (all []Parameter, err error) {
	err = db.each(`SELECT name, value, unit, says FROM parameter ORDER BY rowid`, func(rows *sql.Rows) error {
		var p Parameter
		var value any
		err := rows.Scan(&p.Name, &value, &p.Unit, &p.Says)
		switch v, whole := value.(int64); {
		case whole && p.Unit == "duration":
			p.Value = time.Duration(v).String()
		case whole:
			p.Value = strconv.FormatInt(v, 10)
		}
		all = append(all, p)
		return err
	})
	return all, err
}

// Set gives a parameter another value: a time in RFC 3339, a duration as
// [time.ParseDuration] reads it, or a whole number.
func (db *DB) Set(name, value string) error {
	var unit string
	if err := db.sql.QueryRow(`SELECT unit FROM parameter WHERE name = ?`, name).Scan(&unit); err != nil {
		return fmt.Errorf("parameter %s: %w", name, err)
	}
	read, err := ReadValue(unit, value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err = db.sql.Exec(`UPDATE parameter SET value = ? WHERE name = ?`, read, name)
	return err
}

// ReadValue returns the value of a parameter as the table holds it.
func ReadValue(unit, value string) (any, error) {
	switch unit {
	case "time":
		if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
			return at.UTC().Format(momentFormat), nil
		}
		return nil, fmt.Errorf("%q is no time: want one such as 2026-11-02T09:30:00Z", value)
	case "duration":
		if d, err := time.ParseDuration(value); err == nil && d >= 0 {
			return int64(d), nil
		}
		return nil, fmt.Errorf("%q is no duration: want one such as 10s or 24h", value)
	}
	least := 0
	if unit == "count" {
		least = 1
	}
	if n, err := strconv.Atoi(value); err == nil && n >= least && n <= 1_000_000 {
		return int64(n), nil
	}
	return nil, fmt.Errorf("%q is no %s: want a whole number from %d to 1000000", value, unit, least)
}

// Asked narrows a question.
type Asked struct {
	Exceptions bool   // leave the notes out
	Decision   string // only what is about the decision of this id; empty: all
}

// ErrNotOfDecisions is the error of a question that does not answer for single
// decisions.
var ErrNotOfDecisions = errors.New("this question is about no single decision")

// Ask answers a question of [Catalogue]. Findings come one by one, in the order of
// the view; an error of found ends it.
func (db *DB) Ask(question string, by Asked, found func(Finding) error) error {
	var conditions []string
	var args []any
	if by.Exceptions {
		conditions = append(conditions, "finding = 'exception'")
	}
	if by.Decision != "" {
		conditions, args = append(conditions, "decision = ?"), append(args, by.Decision)
	}
	query := "SELECT * FROM q_" + question
	if columns, err := db.columns(query); err != nil {
		return err
	} else if by.Decision != "" && !slices.Contains(columns, "decision") {
		return ErrNotOfDecisions
	}
	if len(conditions) > 0 {
		query += " WHERE " + strings.Join(conditions, " AND ")
	}
	var columns []string
	return db.each(query, func(rows *sql.Rows) (err error) {
		if columns == nil {
			if columns, err = rows.Columns(); err != nil {
				return err
			}
		}
		f := Finding{Columns: columns, Values: make([]any, len(columns))}
		into := make([]any, len(columns))
		for i := range into {
			into[i] = &f.Values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		f.Exception = f.Values[0] != "note" // the first column of every view
		f.Sentence, _ = f.Values[len(f.Values)-1].(string)
		return found(f)
	}, args...)
}

func (db *DB) columns(query string) ([]string, error) {
	rows, err := db.sql.Query(query + " LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return rows.Columns()
}

// each calls do for each row.
func (db *DB) each(query string, do func(*sql.Rows) error, args ...any) error {
	rows, err := db.sql.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
