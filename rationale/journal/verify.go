package journal

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"github.com/ambit-go/ambit/rationale"
)

// Expect says what [Verify] compares journals with, beside themselves.
type Expect struct {
	// Keys are the public keys of checkpoints. With keys, every checkpoint must
	// be signed by one of them, and every journal must have one, no more than
	// Unsigned records before its end: whoever rewrites a journal must leave out
	// the checkpoints that follow.
	Keys []ed25519.PublicKey
	// Unsigned is MaxUnsigned where it is 0. A host signs after every 1,000 records,
	// or as [WithCheckpointEvery] says, and the records of one append are not divided.
	Unsigned uint64
	// Heads were kept elsewhere, such as on exported spans: each must be in its
	// journal.
	Heads []rationale.Head
	// FS replaces the machine's file system.
	FS FS
}

// MaxUnsigned is how many records may follow the last checkpoint of a journal,
// where nothing else is expected.
const MaxUnsigned = 10_000

// Report is what [Verify] found.
type Report struct {
	Journals []JournalReport
	Problems []error // in the order in which they were found; empty: all is sound
}

// JournalReport is what is known of one journal. Its JSON form is stable.
type JournalReport struct {
	ID        string         `json:"id"`
	Segments  int            `json:"segments"`
	First     uint64         `json:"first"`   // seq of the first record that is here; above 1: the ones before were removed, or are elsewhere
	Retired   bool           `json:"retired"` // a record of the journal says that the ones before were removed
	Head      rationale.Head `json:"head"`    // the last record
	Decisions int            `json:"decisions"`
	Outcomes  int            `json:"outcomes"`
	Open      int            `json:"open"`   // allowed decisions without an outcome that may still come
	Signed    uint64         `json:"signed"` // seq up to which a checkpoint of a given key vouches
	Torn      bool           `json:"torn"`   // it ends in the middle of a write, as a crash leaves it; only Heads tell a cut from that
	Repairs   int            `json:"repairs"`
}

// PairError says that a decision and its outcomes do not fit.
type PairError struct {
	Decision string
	Problem  string
}

func (e *PairError) Error() string {
	return fmt.Sprintf("decision %s: %s", rationale.Printable(e.Decision), e.Problem)
}

// errNothing is the problem of a path without a journal.
var errNothing = errors.New("there is no journal here")

// Verify reads journals as [Read] does, and checks checksums, chain, sequence,
// checkpoints, and that every allowed decision has exactly one outcome: none may
// be without one once its journal was opened again, since what its process left
// open gets the outcome unknown then. Records before the first that is here must
// be said to be retired by a record, and files of one segment in several places
// must be the same.
//
// It cannot see that records were cut from the end of a journal, behind the last
// checkpoint, or that somebody who has the signing key rewrote it: for that,
// compare with heads that were kept elsewhere.
func Verify(expect Expect, paths ...string) Report {
	if expect.FS == nil {
		expect.FS = OS()
	}
	v := newVerification(expect)
	paths = expand(expect.FS, paths)
	for _, path := range paths {
		if found, err := list(expect.FS, path); err == nil && len(found) == 0 {
			v.problem(&ReadError{File: path, Offset: -1, Err: errNothing})
		}
	}
	v.files(paths)
	return v.run(ReadFS(expect.FS, paths...))
}

// VerifyEntries is [Verify] of records that are read elsewhere, with the problems that
// the reading finds.
func VerifyEntries(expect Expect, entries iter.Seq2[Entry, error]) Report {
	return newVerification(expect).run(entries)
}

func newVerification(expect Expect) *verification {
	expect.Unsigned = cmp.Or(expect.Unsigned, MaxUnsigned)
	v := &verification{
		Expect: expect, journals: make(map[string]*journalCheck), allowed: make(map[string]*decision),
		heads: make(map[rationale.Head]bool), retired: make(map[string]rationale.Head), late: make(map[string]bool),
	}
	for _, h := range expect.Heads {
		v.heads[h] = false
	}
	return v
}

func (v *verification) run(entries iter.Seq2[Entry, error]) Report {
	for entry, err := range entries {
		if err != nil {
			v.damaged(err)
			continue
		}
		v.entry(entry)
	}
	return v.report()
}

// files finds what only several segments show: journals that begin later than their
// newest one says, and segments of which two places hold different files.
func (v *verification) files(paths []string) {
	w := walk{fs: v.FS, yield: func(Entry, error) bool { return true }}
	for _, files := range w.collect(paths) {
		segments := once(slices.Clone(files))
		first, last := segments[0], segments[len(segments)-1]
		if last.err == nil && first.number > last.header.Oldest && !first.header.has(flagNew) {
			v.late[last.header.Journal] = true
			v.problem(&ReadError{
				File: first.path, Offset: -1, Err: fmt.Errorf("segments %d to %d: %w", last.header.Oldest, first.number-1, ErrMissing),
			})
		}
		read := files[0]
		for _, f := range files[1:] {
			if f.number != read.number {
				read = f
			} else if err := v.copied(read, f); err != nil {
				v.problem(err)
			}
		}
	}
}

// copied returns a *[ReadError] unless a file that is not read, because another one
// has its number, is the same. What a repair set aside is known to differ.
func (v *verification) copied(read, other segmentFile) error {
	if other.aside || filepath.Clean(read.path) == filepath.Clean(other.path) {
		return nil
	}
	want, err := readFile(v.FS, read.path)
	if err != nil {
		return nil // said by whoever reads it
	}
	got, err := readFile(v.FS, other.path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // retired meanwhile
		return nil
	case err != nil:
		return &ReadError{File: other.path, Offset: -1, Err: err}
	case bytes.Equal(got, want):
		return nil
	case other.err != nil:
		return &ReadError{File: other.path, Err: other.err}
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	return &ReadError{File: other.path, Offset: int64(at), Err: fmt.Errorf("%w: %s", errCopy, read.path)}
}

var errCopy = errors.New("from here on it is not the same as another file of this segment, of which the records are read")

type verification struct {
	Expect
	problems []error
	order    []*journalCheck
	journals map[string]*journalCheck
	current  *journalCheck
	allowed  map[string]*decision
	orphans  []orphan
	heads    map[rationale.Head]bool
	follows  []rationale.Head          // the ends of journals that others say they follow
	retired  map[string]rationale.Head // up to where records say that a journal was removed
	late     map[string]bool           // journals of which the beginning is said to be missing
}

type journalCheck struct {
	JournalReport
	segments map[uint64]bool
	openings int // how often it was opened, so far
	damaged  bool
	prev     string // of the first record that is here
}

type decision struct {
	journal  *journalCheck
	openings int
	outcomes int
	id       string
}

type orphan struct {
	decision string
	place    string
	journal  *journalCheck
}

func (v *verification) problem(err error) { v.problems = append(v.problems, err) }

func (v *verification) damaged(err error) {
	if Torn(err) {
		if v.current != nil {
			v.current.Torn = true
		}
		return
	}
	if v.current != nil {
		v.current.damaged = true
	}
	v.problem(err)
}

func (v *verification) entry(e Entry) {
	id := e.Envelope.Journal
	j := v.journals[id]
	if j == nil {
		j = &journalCheck{JournalReport: JournalReport{ID: id, First: e.Envelope.Seq}, segments: make(map[uint64]bool), prev: e.Envelope.Prev}
		v.journals[id], v.order = j, append(v.order, j)
	}
	v.current = j
	j.segments[e.Segment] = true
	previous := j.Head
	j.Head = rationale.Head{Journal: id, Seq: e.Envelope.Seq, Hash: e.Hash}
	if _, ok := v.heads[j.Head]; ok {
		v.heads[j.Head] = true
	}
	if err := v.record(j, previous, e); err != nil {
		v.problem(&ReadError{e.File, e.Offset, previous, err})
	}
}

func (v *verification) record(j *journalCheck, previous rationale.Head, e Entry) error {
	switch rec := e.Record.(type) {
	case *rationale.Decision:
		j.Decisions++
		if rec.Verdict == rationale.Allow {
			if v.allowed[rec.ID] != nil {
				return &PairError{rec.ID, "it is recorded twice"}
			}
			v.allowed[rec.ID] = &decision{journal: j, openings: j.openings, id: rec.ID}
		}
	case *rationale.Outcome:
		j.Outcomes++
		d := v.allowed[rec.Decision]
		if d == nil {
			v.orphans = append(v.orphans, orphan{rec.Decision, fmt.Sprintf("%s: byte %d", e.File, e.Offset), j})
			return nil
		}
		if d.outcomes++; d.outcomes > 1 {
			return &PairError{rec.Decision, "it has a second outcome"}
		}
	case *rationale.Lifecycle:
		switch rec.Event {
		case rationale.EventOpened:
			j.openings++
		case rationale.EventRepaired:
			j.Repairs++
			if rec.Previous != nil {
				v.follows = append(v.follows, *rec.Previous)
			}
		case rationale.EventRetired:
			j.Retired = true
			if rec.Previous != nil {
				v.retired[rec.Previous.Journal] = *rec.Previous
			}
		}
	case *rationale.Checkpoint:
		return v.checkpoint(j, previous, e, rec)
	}
	return nil
}

// checkpoint checks that the statement is true of the chain before it, and who
// signed it.
func (v *verification) checkpoint(j *journalCheck, previous rationale.Head, e Entry, c *rationale.Checkpoint) error {
	want := rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq - 1, Hash: e.Envelope.Prev}
	if c.Head != want {
		return fmt.Errorf("the checkpoint signs record %d of journal %s, and stands behind record %d: %w",
			c.Head.Seq, rationale.Printable(c.Head.Journal), previous.Seq, errCheckpoint)
	}
	if len(v.Keys) == 0 {
		return nil
	}
	if err := c.Verify(v.Keys...); err != nil {
		return err
	}
	j.Signed = c.Head.Seq
	return nil
}

var errCheckpoint = errors.New("it does not belong here")

// report concludes what only the end shows.
func (v *verification) report() Report {
	for _, id := range slices.Sorted(maps.Keys(v.allowed)) {
		d := v.allowed[id]
		if d.outcomes > 0 {
			continue
		}
		if d.openings < d.journal.openings && !d.journal.damaged {
			v.problem(&PairError{id, "it has no outcome, though its journal was opened again since"})
			continue
		}
		d.journal.Open++
	}
	for _, o := range v.orphans {
		if v.allowed[o.decision] == nil && o.journal.First == 1 && !o.journal.damaged {
			v.problem(fmt.Errorf("%s: %w", o.place, &PairError{o.decision, "it has an outcome, and no record that allowed it"}))
		}
	}
	for _, h := range v.Heads {
		if j := v.journals[h.Journal]; j != nil && h.Seq < j.First {
			v.problem(fmt.Errorf("record %d of journal %s, as it was kept elsewhere (%s), is not here, where the journal begins with record %d: give the folder or archive that holds it too",
				h.Seq, rationale.Printable(h.Journal), rationale.Printable(h.Hash), j.First))
		} else if !v.heads[h] {
			v.problem(fmt.Errorf("record %d of journal %s, as it was kept elsewhere (%s), is not here: the journal was cut, rewritten, or is another",
				h.Seq, rationale.Printable(h.Journal), rationale.Printable(h.Hash)))
		}
	}
	for _, h := range v.follows {
		if before := v.journals[h.Journal]; h.Seq > 0 && (before == nil || before.Head.Seq < h.Seq) {
			v.problem(fmt.Errorf("journal %s, up to record %d: %w, though another journal follows it", rationale.Printable(h.Journal), h.Seq, ErrMissing))
		}
	}
	for _, j := range v.order {
		if err := v.begins(j); err != nil {
			v.problem(err)
		}
	}
	r := Report{Problems: v.problems}
	for _, j := range v.order {
		if err := v.signed(j); err != nil {
			v.problem(err)
			r.Problems = v.problems
		}
		j.JournalReport.Segments = len(j.segments)
		r.Journals = append(r.Journals, j.JournalReport)
	}
	return r
}

// begins returns an error unless the journal is here from its first record on, or a
// record in its chain says that the ones before were retired: a header that says so
// anybody can write.
func (v *verification) begins(j *journalCheck) error {
	gone := v.retired[j.ID]
	switch {
	case j.First == 1, j.damaged, v.late[j.ID], gone.Seq >= j.First:
		return nil
	case gone.Seq == j.First-1 && gone.Hash == j.prev:
		return nil
	}
	return fmt.Errorf("journal %s begins here with record %d, and no record says that the ones before were retired: %w",
		rationale.Printable(j.ID), j.First, ErrMissing)
}

// signed returns an error unless checkpoints of the given keys vouch for a journal.
func (v *verification) signed(j *journalCheck) error {
	behind := j.Head.Seq - j.Signed - 1 // the checkpoint itself is the record after what it signs
	switch {
	case len(v.Keys) == 0, j.Signed > 0 && behind <= v.Unsigned:
		return nil
	case j.Signed == 0:
		return fmt.Errorf("journal %s: %w", rationale.Printable(j.ID), errUnsigned)
	}
	return fmt.Errorf("journal %s: %d records follow its last checkpoint, record %d, and at most %d may: they were written without the key, or are not what was signed",
		rationale.Printable(j.ID), behind, j.Signed+1, v.Unsigned)
}

var errUnsigned = errors.New("no checkpoint of it is signed by a given key")
