package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const archiveHelp = `
Usage: ambit archive DIR ARCHIVE -lock DURATION
       ambit archive DIR ARCHIVE -lock DURATION -retire -keep DURATION [-delivered all|SEQ]

Copies the closed segments of an evidence folder to an archive folder, each verified before
and read back afterwards, and read-only there, with the time until which it is to stay
(-lock, such as 2555d, from its youngest record on) in a file beside it. The segment that a
guard writes to next is not copied. What is there already is compared, and never replaced.
What is damaged is not copied, and named; see 'ambit verify'. A run that was interrupted is
continued by running it again.

With -retire it then removes the oldest segments from the evidence folder that are in the
archive, delivered, older than -keep, and not needed by an open decision, ticket or review.
Deliveries that keep their place in DIR are always waited for. -delivered is for a folder
without one: up to which record of the journal its records were delivered by other means;
all where nothing is to be delivered. A record says what was removed.

The folder must not be in use: a host that is running archives by itself
(journal.Journal.ArchiveClosed and Retire). 'ambit verify' and 'ambit records' read DIR and
ARCHIVE as one.

Exits with 0 when every closed segment is in the archive, 1 when one is not, 2 on misuse.
`

func archive(t *terminal, args []string) int {
	f := newFlags(t, "archive", archiveHelp)
	var lock, keep time.Duration
	f.Func("lock", "the `DURATION` for which the archive keeps a segment, such as 2555d; required", duration(&lock))
	retire := f.Bool("retire", false, "remove what is archived and not needed from DIR")
	f.Func("keep", "the `DURATION` for which DIR keeps a segment, such as 90d", duration(&keep))
	delivered := f.String("delivered", "", "`SEQ` of the last record that was delivered by other means, or all")
	paths, code := f.parse(args, "an evidence folder and an archive folder", 2, 2)
	if code >= 0 {
		return code
	}
	var (
		upTo uint64
		err  error
	)
	switch {
	case lock == 0:
		err = errors.New("want -lock, such as -lock 2555d: for how long the archive keeps a segment")
	case within(paths[0], paths[1]):
		err = errors.New("the archive lies in the evidence folder: want a folder of its own, on another disk")
	case *retire && keep == 0:
		err = errors.New("-retire needs -keep, such as -keep 90d")
	case *retire:
		upTo, err = deliveredTo(paths[0], *delivered)
	}
	if err != nil {
		return f.misuse(err.Error())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	to := journal.OpenFolderArchive(paths[1])
	done, err := journal.ArchiveClosed(ctx, paths[0], to, lock)
	for _, s := range done.Copied {
		fmt.Fprintf(t.out, "archived  %s\n", rationale.Printable(filepath.Base(s.File)))
	}
	fmt.Fprintf(t.out, "%s archived, %d there already.\n", count(len(done.Copied), "segment"), len(done.Present))
	if err != nil {
		t.archiveProblem(err)
		return exitFailed
	}
	if len(done.Copied)+len(done.Present) == 0 {
		fmt.Fprintln(t.out, "No segment is closed yet: the next start of the host closes the one that is written to, and so do 64 MiB and 24 hours.")
	}
	if *retire {
		return t.retire(ctx, paths[0], to, keep, upTo)
	}
	return exitOK
}

// archiveProblem prints each error, and what to do.
func (t *terminal) archiveProblem(err error) {
	for _, line := range strings.Split(err.Error(), "\n") {
		fmt.Fprintf(t.err, "%s %s\n", t.paint(red, "problem:"), rationale.Printable(line))
	}
	if errors.Is(err, journal.ErrLocked) {
		fmt.Fprintln(t.err, "A host has the folder open: stop it, or let it do this by itself (journal.Journal.ArchiveClosed, guard.Guard.Erase).")
	}
}

// retire removes what the archive has. It opens the folder as a host does, so
// that what its decisions still need is known.
func (t *terminal) retire(ctx context.Context, dir string, to journal.Archive, keep time.Duration, upTo uint64) int {
	l, err := ledger.Open(dir)
	if err != nil {
		t.archiveProblem(err)
		return exitFailed
	}
	gone, err := l.Journal().Retire(ctx, journal.Retention{
		Keep: keep, Delivered: deliveredIn(l.Journal(), upTo), Archived: l.Journal().ArchivedIn(ctx, to),
	})
	err = errors.Join(err, l.Close())
	for _, s := range gone {
		fmt.Fprintf(t.out, "retired   %s\n", rationale.Printable(filepath.Base(s.File)))
	}
	fmt.Fprintf(t.out, "%s retired.\n", count(len(gone), "segment"))
	if err != nil {
		t.archiveProblem(err)
		return exitFailed
	}
	return exitOK
}

// everything is the number of the last record where all were delivered.
const everything = math.MaxUint64

// deliveredTo reads the number of the last record that was delivered, beside
// what the deliveries of the folder say themselves.
func deliveredTo(dir, text string) (uint64, error) {
	places, err := filepath.Glob(filepath.Join(dir, "delivery-*.cursor"))
	if err != nil {
		return 0, err
	}
	if text == "all" || text == "" && len(places) > 0 {
		return everything, nil
	}
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil || seq == everything {
		return 0, errors.New("no delivery keeps its place in this folder, so -retire needs -delivered: the number of the last record that was delivered, or all where nothing is to be delivered")
	}
	return seq, nil
}

// deliveredIn returns the condition that all records of a segment, of the
// current journal, were delivered.
func deliveredIn(j *journal.Journal, upTo uint64) func(journal.Segment) bool {
	if upTo == everything {
		return nil
	}
	segments := j.Segments()
	return func(s journal.Segment) bool {
		after := slices.IndexFunc(segments, func(n journal.Segment) bool { return n.Number > s.Number })
		return after >= 0 && s.Journal == j.ID() && segments[after].First-1 <= upTo
	}
}

// duration reads a positive duration; Go's, or a number of days such as 90d.
func duration(to *time.Duration) func(string) error {
	return func(text string) error {
		d, err := time.ParseDuration(text)
		if days, isDays := strings.CutSuffix(text, "d"); isDays {
			var n int64
			n, err = strconv.ParseInt(days, 10, 32)
			d = time.Duration(n) * 24 * time.Hour
			if err == nil && n > 36500 {
				err = strconv.ErrRange
			}
		}
		if err != nil || d <= 0 {
			return errors.New("want a duration such as 90d or 36h")
		}
		*to = d
		return nil
	}
}

// within reports whether a path is a folder, or lies in it.
func within(dir, path string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
