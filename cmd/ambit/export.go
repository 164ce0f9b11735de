package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ambit-go/ambit/cmd/ambit/internal/recorddb"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const exportHelp = `
Usage: ambit export FILE DIR… [-force] [-to sqlite]

Writes the records of evidence folders, archives of their segments, and single segments to
FILE as an SQLite database, with the auditor's questions as views (q_authority, q_chain, …).
docs/sql.md has the schema. Nothing is changed in the folders, and a host may be at work.

What is sealed for a person stays sealed: its columns are NULL, and the column "sealed" says
so. FILE appears once it is complete. It can be read by its owner alone, as the records can.

Exits with 0 on success, 1 when a journal is damaged (FILE then has what could be read, and
the table "gap" says what could not), 2 on misuse.
`

func export(t *terminal, args []string) int {
	f := newFlags(t, "export", exportHelp)
	to := f.String("to", "sqlite", "the `FORMAT`: sqlite")
	force := f.Bool("force", false, "replace FILE where there is one")
	rest, code := f.parse(args, "a file to write, and one or more evidence folders", 2, -1)
	if code >= 0 {
		return code
	}
	if *to != "sqlite" {
		return f.misuse(fmt.Sprintf("-to %s: want sqlite", *to))
	}
	file, dirs := rest[0], rest[1:]
	err := mayWrite(file, *force)
	if err == nil {
		err = readable(dirs)
	}
	if err != nil {
		return f.misuse(err.Error())
	}
	read, err := t.exportTo(file, *force, dirs)
	switch {
	case errors.Is(err, errNoRecords):
		return f.misuse(noRecords(dirs))
	case err != nil:
		fmt.Fprintf(t.err, "ambit export: %s\n", rationale.Printable(err.Error()))
		return exitFailed
	}
	fmt.Fprintf(t.out, "%s written to %s. Ask it with: sqlite3 %s 'SELECT name, asks FROM question'\n",
		count(read.records, "record"), rationale.Printable(file), rationale.Printable(file))
	if read.damaged {
		return exitFailed
	}
	return exitOK
}

var errNoRecords = errors.New("no records")

// mayWrite refuses a file that is there, unless it may be replaced.
func mayWrite(file string, force bool) error {
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(file)); err != nil {
			return fmt.Errorf("there is no folder %s to write %s to", filepath.Dir(file), filepath.Base(file))
		}
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file: want the file to write first, and the evidence folders after it", file)
	case !force:
		return fmt.Errorf("%s is there already: name another file, or replace it with -force", file)
	}
	return nil
}

// exportTo writes beside the file, and renames.
func (t *terminal) exportTo(file string, force bool, dirs []string) (read reading, err error) {
	temp, err := os.CreateTemp(filepath.Dir(file), ".ambit-export-*")
	if err != nil {
		return read, err
	}
	defer func() {
		_ = temp.Close()
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	db, err := recorddb.Create(temp.Name(), true)
	if err != nil {
		return read, err
	}
	read, err = t.load(db, dirs, time.Now())
	if err = errors.Join(err, db.Close()); err != nil {
		return read, err
	}
	if err := temp.Sync(); err != nil {
		return read, err
	}
	if err := mayWrite(file, force); err != nil {
		return read, err
	}
	return read, os.Rename(temp.Name(), file)
}

// reading is what was read of journals.
type reading struct {
	records int
	damaged bool
}

// load reads journals into a database, and says on the way what is damaged.
func (t *terminal) load(db *recorddb.DB, dirs []string, now time.Time) (read reading, err error) {
	progress := newProgress(t.err)
	defer progress.end()
	for entry, problem := range journal.Read(dirs...) {
		if err := db.Add(entry, problem); err != nil {
			return read, err
		}
		switch {
		case problem == nil:
			read.records++
			progress.at(read.records)
		case journal.Torn(problem):
			progress.end()
			fmt.Fprintf(t.err, "ambit: %s (its writer stopped, or is writing it now)\n", rationale.Printable(problem.Error()))
		default:
			read.damaged = true
			progress.end()
			fmt.Fprintf(t.err, "%s %s\n", t.paint(red, "damaged:"), rationale.Printable(problem.Error()))
		}
	}
	if read.records == 0 && !read.damaged {
		return read, errNoRecords
	}
	return read, db.Finish(now)
}

// progress says on a terminal how far a long command is, and nowhere else.
type progress struct {
	w     io.Writer // nil: no terminal
	shown bool
}

// progressEvery is after how many records the count is shown anew.
const progressEvery = 10_000

func newProgress(w io.Writer) *progress {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &progress{w: w}
		}
	}
	return new(progress)
}

func (p *progress) at(records int) {
	if records%progressEvery == 0 {
		p.say("reading: " + count(records, "record"))
	}
}

func (p *progress) say(text string) {
	if p.w != nil {
		fmt.Fprintf(p.w, "\r%s\x1b[K", text)
		p.shown = true
	}
}

// end clears the line.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
