package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const eraseHelp = `
Usage: ambit erase SUBJECT DIR… -by WHO -why TEXT

Destroys, for good, the key that records about a person are sealed with, in each evidence
folder that has one (DIR/subjects), and records who did so, when, and why. What the records
say of the person can then no longer be read, in these folders or in any copy or archive of
them; the records stay as they are, and 'ambit verify' passes. Copies of the key itself, as
in a backup of the disk, are yours to destroy.

SUBJECT is the identity that the host gave to the guard. The folders must not be in use: a
host that is running erases by itself (guard.Guard.Erase). A run that was interrupted is
ended by running it again.

Exits with 0 when a key was destroyed, 1 when there was none or something failed, 2 on misuse.
`

func erase(t *terminal, args []string) int {
	f := newFlags(t, "erase", eraseHelp)
	by := f.String("by", "", "`WHO` erases; required, and recorded")
	why := f.String("why", "", "on what ground, as a `TEXT`, such as the number of the request; required, and recorded")
	rest, code := f.parse(args, "a subject and one or more evidence folders", 2, -1)
	if code >= 0 {
		return code
	}
	if rest[0] == "" || *by == "" || *why == "" {
		return f.misuse("want a subject, -by and -why: the erasure is recorded with them")
	}
	for _, dir := range rest[1:] { // before anything is destroyed
		if !journal.Exists(dir) {
			return f.misuse(fmt.Sprintf("%s holds no journal: want an evidence folder", dir))
		}
	}
	found, failed := 0, false
	for _, dir := range rest[1:] {
		ok, err := eraseIn(dir, rest[0], *by, *why)
		switch {
		case err != nil:
			failed = true
			t.archiveProblem(err)
		case ok:
			found++
			fmt.Fprintf(t.out, "erased     %s: the key is destroyed, and the journal says so\n", rationale.Printable(dir))
		default:
			fmt.Fprintf(t.out, "no key     %s: nothing there is sealed for this subject\n", rationale.Printable(dir))
		}
	}
	if failed || found == 0 {
		return exitFailed
	}
	return exitOK
}

// eraseIn erases a subject in one evidence folder.
func eraseIn(dir, subject, by, why string) (found bool, err error) {
	keys := filepath.Join(dir, journal.SubjectsFolder)
	if _, err := os.Stat(keys); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	l, err := ledger.Open(dir)
	if err != nil {
		return false, err
	}
	found, err = journal.OpenSubjects(keys).Erase(context.Background(), subject, by, why, func(ctx context.Context, e rationale.Erasure) error {
		return l.Record(ctx, e.Record())
	})
	return found, errors.Join(err, l.Close())
}
