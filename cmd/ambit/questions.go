package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/cmd/ambit/internal/recorddb"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const questionsHelp = `
Usage: ambit audit -q                  lists the questions
       ambit audit -q NAME DIR… [-decision ID] [-fail-on NAMES] [-o table|json]
       ambit audit -all DIR… [-fail-on NAMES] [-o table|json]

Asks an auditor's questions of the records in evidence folders, archives of their segments,
and single segments. A finding is an exception, which somebody must look at, or a note. -all
asks all questions, and of those that answer for every single act prints the exceptions alone. With
-o json every finding is one JSON object on a line of its own, with question, finding,
sentence and the columns of the view; docs/sql.md documents them, and the same views are in
the file that 'ambit export' writes.

-fail-on names questions whose exceptions make the command exit with 1; "any" is all of them.

Exits with 0 on success, 1 when a journal is damaged or -fail-on says so, 2 on misuse.
`

// asksQuestions reports whether the arguments of audit ask questions of records.
func asksQuestions(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		name := strings.TrimLeft(arg, "-")
		return name != arg && (name == "q" || name == "all" || strings.HasPrefix(name, "q=") || strings.HasPrefix(name, "all="))
	})
}

// inquiry is what is asked of which records.
type inquiry struct {
	flags
	catalogue  []recorddb.Question
	parameters map[string]*string // by name
	all        *bool
	list       bool // -q without a name
	name       string
	decision   *string
	failOn     *string
	out        *string
	dirs       []string
}

// questions is the command audit where it asks questions of records.
func questions(t *terminal, args []string) int {
	q := inquiry{flags: newFlags(t, "audit", questionsHelp), parameters: make(map[string]*string)}
	if code := q.read(args); code >= 0 {
		return code
	}
	if q.list {
		return q.printCatalogue()
	}
	chosen, err := q.chosen()
	if err == nil {
		err = q.check()
	}
	if err == nil {
		err = readable(q.dirs)
	}
	if err != nil {
		return q.misuse(err.Error())
	}
	code, err := q.answer(chosen)
	switch {
	case errors.Is(err, errNoRecords):
		return q.misuse(noRecords(q.dirs))
	case errors.Is(err, recorddb.ErrNotOfDecisions):
		return q.misuse("-decision does not go with -q " + q.name + ": it is about no single decision")
	case err != nil:
		fmt.Fprintf(t.err, "ambit audit: %s\n", rationale.Printable(err.Error()))
		return exitFailed
	}
	return code
}

// read reads the command line. A negative code means to go on.
func (q *inquiry) read(args []string) int {
	catalogue, parameters, err := recorddb.Catalogue()
	if err != nil {
		fmt.Fprintf(q.t.err, "ambit audit: %v\n", err)
		return exitFailed
	}
	q.catalogue = catalogue
	if i := slices.IndexFunc(args, func(arg string) bool { return arg == "-q" || arg == "--q" }); i >= 0 && (i+1 == len(args) || strings.HasPrefix(args[i+1], "-")) {
		q.list, args = true, slices.Delete(slices.Clone(args), i, i+1)
	}
	q.StringVar(&q.name, "q", "", "the `NAME` of a question; without one, the questions are listed")
	q.all = q.Bool("all", false, "ask all questions")
	q.decision = q.String("decision", "", "with -q: only what is about the decision with this `ID`")
	q.failOn = q.String("fail-on", "", "exit with 1 on an exception of one of these `QUESTIONS`, separated by commas, or any")
	q.out = q.output("table", "json")
	for _, p := range parameters {
		name := p.Name
		if name == "now" {
			name = "at" // as in the other commands
		}
		usage := p.Says + " (`" + strings.ToUpper(p.Unit) + "`)"
		if p.Name == "now" {
			usage += " (default now)"
		}
		value := new(string)
		q.StringVar(value, name, p.Value, usage)
		q.parameters[p.Name] = value
	}
	least := 1
	if q.list {
		least = 0
	}
	var code int
	q.dirs, code = q.parse(args, "one or more evidence folders", least, -1)
	if code >= 0 {
		return code
	}
	units := make(map[string]string, len(parameters))
	for _, p := range parameters {
		units[p.Name] = p.Unit
	}
	return q.checkParameters(units)
}

// checkParameters refuses what cannot be read before anything else is.
func (q *inquiry) checkParameters(units map[string]string) (code int) {
	code = -1
	q.Visit(func(f *flag.Flag) {
		name := f.Name
		if name == "at" {
			name = "now"
		}
		if unit, ok := units[name]; ok && code < 0 {
			if _, err := recorddb.ReadValue(unit, f.Value.String()); err != nil {
				code = q.misuse(fmt.Sprintf("-%s: %v", f.Name, err))
			}
		}
	})
	return code
}

func (q *inquiry) names() []string {
	names := make([]string, len(q.catalogue))
	for i, one := range q.catalogue {
		names[i] = one.Name
	}
	return names
}

// chosen returns the questions that are asked.
func (q *inquiry) chosen() ([]recorddb.Question, error) {
	switch {
	case *q.all && q.name != "":
		return nil, errors.New("want -q or -all, not both")
	case *q.all && *q.decision != "":
		return nil, errors.New("-decision goes with -q")
	case *q.all:
		return q.catalogue, nil
	case q.name == "":
		return nil, errors.New("want -q NAME or -all; -q alone lists the questions")
	}
	i := slices.Index(q.names(), q.name)
	if i < 0 {
		return nil, fmt.Errorf("there is no question %q: want %s", q.name, strings.Join(q.names(), ", "))
	}
	return q.catalogue[i : i+1], nil
}

func (q *inquiry) check() error {
	for name := range strings.SplitSeq(*q.failOn, ",") {
		if name != "" && name != "any" && !slices.Contains(q.names(), name) {
			return fmt.Errorf("-fail-on %s: there is no such question: want any, or some of %s", name, strings.Join(q.names(), ","))
		}
	}
	return oneOf(*q.out, "table", "json")
}

func (q *inquiry) printCatalogue() int {
	b := &table{head: []string{"QUESTION", "ASKS", "FLAGS"}}
	for _, one := range q.catalogue {
		var flags []string
		for _, p := range one.Parameters {
			flags = append(flags, fmt.Sprintf("-%s %s", p, q.Lookup(p).DefValue))
		}
		b.add(one.Name, one.Asks, strings.Join(flags, " "))
	}
	b.write(q.t, q.t.out)
	fmt.Fprintln(q.t.out, "\nAsk one with: ambit audit -q NAME DIR, or all with: ambit audit -all DIR")
	return exitOK
}

// answer reads the records into a database of its own, and asks it.
func (q *inquiry) answer(chosen []recorddb.Question) (code int, err error) {
	dir, err := os.MkdirTemp("", "ambit-audit-")
	if err != nil {
		return exitFailed, err
	}
	defer os.RemoveAll(dir)
	db, err := recorddb.Create(filepath.Join(dir, "records"), false)
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	read, err := q.t.load(db, q.dirs, time.Now())
	if err != nil {
		return exitFailed, err
	}
	q.Visit(func(f *flag.Flag) {
		name := f.Name
		if name == "at" {
			name = "now"
		}
		if value := q.parameters[name]; value != nil {
			err = errors.Join(err, db.Set(name, *value))
		}
	})
	if err != nil {
		return exitFailed, err
	}
	failed, err := q.ask(db, chosen)
	if err != nil || failed || read.damaged {
		return exitFailed, err
	}
	return exitOK, nil
}

// ask prints the answers, and reports whether -fail-on makes them a failure.
func (q *inquiry) ask(db *recorddb.DB, chosen []recorddb.Question) (failed bool, err error) {
	exceptions, with := 0, 0
	for _, one := range chosen {
		print := q.printer(one)
		found, notes := 0, 0
		by := recorddb.Asked{Exceptions: *q.all && one.PerAct, Decision: *q.decision}
		if err := db.Ask(one.Name, by, func(f recorddb.Finding) error {
			if f.Exception {
				found++
			} else {
				notes++
			}
			return print(f)
		}); err != nil {
			return false, err
		}
		if *q.out == "table" && found+notes == 0 {
			fmt.Fprintln(q.t.out, map[bool]string{true: "  no exception", false: "  nothing found"}[by.Exceptions])
		}
		exceptions += found
		if found > 0 {
			with++
			failed = failed || q.failsOn(one.Name)
		}
	}
	if *q.out == "table" {
		q.sum(len(chosen), exceptions, with)
	}
	return failed, nil
}

func (q *inquiry) failsOn(name string) bool {
	for one := range strings.SplitSeq(*q.failOn, ",") {
		if one == "any" || one == name {
			return true
		}
	}
	return false
}

// printer prints the findings of a question, under the question.
func (q *inquiry) printer(one recorddb.Question) func(recorddb.Finding) error {
	if *q.out == "json" {
		return func(f recorddb.Finding) error { return q.line(one.Name, f) }
	}
	fmt.Fprintf(q.t.out, "%s  %s\n", q.t.paint(bold, one.Name), one.Asks)
	return func(f recorddb.Finding) error {
		mark := "note     "
		if f.Exception {
			mark = q.t.paint(red, "exception")
		}
		_, err := fmt.Fprintf(q.t.out, "  %s  %s\n", mark, rationale.Printable(f.Sentence))
		return err
	}
}

// line prints a finding as one JSON object, its members in the order of the view's
// columns.
func (q *inquiry) line(question string, f recorddb.Finding) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"question":%q`, question)
	for i, column := range f.Columns {
		value, err := json.Marshal(f.Values[i])
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, `,%q:%s`, column, value)
	}
	b.WriteByte('}')
	_, err := fmt.Fprintln(q.t.out, terminalJSON(b.Bytes()))
	return err
}

func (q *inquiry) sum(asked, exceptions, with int) {
	if exceptions == 0 {
		fmt.Fprintf(q.t.out, "\n%s asked, %s.\n", count(asked, "question"), q.t.paint(green, "no exception"))
		return
	}
	fmt.Fprintf(q.t.out, "\n%s asked, %s in %d of them. Look at a decision with: ambit records DIR -explain ID\n",
		count(asked, "question"), q.t.paint(red, count(exceptions, "exception")), with)
}

// readable refuses a path where nothing is, or a file that is no segment: that is a slip of
// who named it, and no damage.
func readable(paths []string) error {
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return errors.New("there is no " + path + ": want a folder that a guard wrote its evidence to")
		case err == nil && !info.IsDir() && !strings.Contains(filepath.Base(path), journal.Extension):
			return errors.New(path + " is no folder, and no segment (*" + journal.Extension + "): want a folder that a guard wrote its evidence to")
		}
	}
	return nil // what else is wrong is said by whoever reads
}

// noRecords says that folders hold none.
func noRecords(dirs []string) string {
	return "no records in " + strings.Join(dirs, ", ") + ": want a folder that a guard wrote its evidence to"
}
