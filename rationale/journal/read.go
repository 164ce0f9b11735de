package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"

	"github.com/ambit-go/ambit/rationale"
)

// Entry is one record with its place.
type Entry struct {
	File     string // as it can be opened
	Segment  uint64
	Offset   int64 // of the record's line in the file
	Envelope rationale.Envelope
	Hash     string // of the record's line
	Record   rationale.Record
}

// ReadError says what of which file could not be read or breaks the chain.
type ReadError struct {
	File   string
	Offset int64          // of the first byte that is wrong; -1: the file as a whole
	After  rationale.Head // the last record before it that could be verified
	Err    error          // a *rationale.ChainError where the chain breaks
}

func (e *ReadError) Error() string {
	text := e.Err.Error()
	if chain, ok := errors.AsType[*rationale.ChainError](e.Err); ok {
		text = fmt.Sprintf("chain broken (%s): %s", chain.Problem, chain.Detail)
	}
	if e.Offset < 0 {
		return fmt.Sprintf("%s: %s", e.File, text)
	}
	return fmt.Sprintf("%s: byte %d, after record %d: %s", e.File, e.Offset, e.After.Seq, text)
}

func (e *ReadError) Unwrap() error { return e.Err }

// Errors that a [ReadError] wraps.
var (
	// ErrTorn is the error of the end of a journal's last segment that is no
	// whole frame: its writer stopped in the middle of a write, or is writing it
	// now. Nothing of it was acknowledged.
	ErrTorn = errors.New("the torn end of a write that was not acknowledged")
	// ErrMissing is the error of segments that are not there.
	ErrMissing = errors.New("missing")
	// ErrStray is the error of a head that does not lead to its record.
	ErrStray = errors.New("the place that was kept is not in this journal")
	// ErrAside is the error of a segment that a repair set aside.
	ErrAside = errors.New("set aside by a repair")
)

// Torn reports whether err says no more than that a journal ends in the middle of
// a write.
func Torn(err error) bool { return errors.Is(err, ErrTorn) }

// Read yields the records of journals: of each folder, archive ([FolderArchive])
// or segment that a path names. Segments of one journal that lie in several places, as in its folder and
// in an archive, are read together, and one that is there twice once. Journals
// come in the order of their beginning, and the records of each in the order in
// which they were appended; records of several are not merged by time.
//
// No lock is needed: a journal may be read while it is written, up to what is
// there when its last segment is read.
//
// The chain is verified on the way. Every problem is yielded as a *[ReadError] with a
// zero Entry, at the place where it is found, and reading goes on behind it: what
// can be read follows as entries of their own. So who reads on after an error
// sees all there is, and who wants only sound evidence stops at the first that is
// not [Torn]. A folder without segments yields nothing; a path that does not exist
// yields an error. That a journal does not begin with its first record is no
// problem here; see [Verify].
func Read(paths ...string) iter.Seq2[Entry, error] { return ReadFS(OS(), paths...) }

// ReadFS is Read in another file system.
func ReadFS(fsys FS, paths ...string) iter.Seq2[Entry, error] {
	return readAll(walk{fs: fsys}, paths)
}

// ReadBodies is Read for who takes what it needs out of [rationale.Envelope.Body]
// itself, which costs a fraction of decoding the records: Entry.Record is nil. The
// chain is verified all the same.
func ReadBodies(paths ...string) iter.Seq2[Entry, error] {
	return readAll(walk{fs: OS(), bodies: true}, paths)
}

func readAll(w walk, paths []string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		w := w
		w.yield = yield
		for _, j := range w.collect(expand(w.fs, paths)) {
			if w.stopped {
				return
			}
			w.journal(once(j))
		}
	}
}

// Exists reports whether a folder holds segments of a journal.
func Exists(dir string) bool {
	names, err := OS().ReadDir(dir)
	return err == nil && slices.ContainsFunc(names, func(name string) bool {
		_, _, ok := parseName(name)
		return ok
	})
}

// walk reads journals one after the other.
type walk struct {
	fs      FS
	yield   func(Entry, error) bool
	bodies  bool // records are not decoded
	stopped bool
}

// problem yields an error, and reports whether to go on.
func (w *walk) problem(file string, offset int64, after rationale.Head, err error) bool {
	w.stopped = w.stopped || !w.yield(Entry{}, &ReadError{file, offset, after, err})
	return !w.stopped
}

// collect returns the segments that paths name, by journal; one that lies in
// several places several times.
func (w *walk) collect(paths []string) [][]segmentFile {
	var files []segmentFile
	for _, path := range paths {
		found, err := w.files(path)
		if err != nil && !w.problem(path, -1, rationale.Head{}, err) {
			return nil
		}
		// A header that cannot be read is counted to the journal beside it.
		for i := range found {
			if found[i].header.Journal == "" && i > 0 {
				found[i].header.Journal = found[i-1].header.Journal
			}
		}
		for i := len(found) - 2; i >= 0; i-- {
			if found[i].header.Journal == "" {
				found[i].header.Journal = found[i+1].header.Journal
			}
		}
		files = append(files, found...)
	}
	return w.byJournal(files)
}

// byJournal groups segments by journal, each in the order of their numbers.
func (w *walk) byJournal(files []segmentFile) [][]segmentFile {
	by := make(map[string][]segmentFile)
	for _, f := range files {
		by[f.header.Journal] = append(by[f.header.Journal], f)
	}
	var journals [][]segmentFile
	for _, segments := range by {
		slices.SortStableFunc(segments, compareSegments)
		journals = append(journals, segments)
	}
	slices.SortFunc(journals, func(a, b []segmentFile) int {
		return cmp.Or(a[0].header.Time.Compare(b[0].header.Time), cmp.Compare(a[0].header.Journal, b[0].header.Journal))
	})
	return journals
}

// once leaves one of each number: what can be read, or else the first.
func once(segments []segmentFile) []segmentFile {
	return slices.CompactFunc(segments, func(a, b segmentFile) bool { return a.number == b.number })
}

// compareSegments orders by number; of one number, first what can be read.
func compareSegments(a, b segmentFile) int {
	bad := func(s segmentFile) int {
		switch {
		case s.err != nil:
			return 2
		case s.aside:
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(bad(a), bad(b)))
}

// files returns the segments of a folder, or the one segment.
func (w *walk) files(path string) ([]segmentFile, error) {
	found, err := list(w.fs, path)
	if err == nil {
		return found, nil
	}
	number, aside, ok := parseName(filepath.Base(path))
	if !ok || errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s := segmentFile{path: path, number: number, aside: aside}
	s.header, s.err = readHeader(w.fs, path)
	return []segmentFile{s}, nil
}

// journal reads the segments of one journal.
func (w *walk) journal(files []segmentFile) {
	c := chainReader{walk: w}
	for i, f := range files {
		var next *segmentFile
		if i+1 < len(files) {
			next = &files[i+1]
		}
		if i > 0 && f.number != files[i-1].number+1 {
			err := fmt.Errorf("segments %d to %d: %w", files[i-1].number+1, f.number-1, ErrMissing)
			if !w.problem(filepath.Dir(f.path), -1, c.verifier.Head(), err) {
				return
			}
			c.known = false
		}
		if !c.segment(f, next) {
			return
		}
	}
}

// chainReader verifies the segments of one journal in their order.
type chainReader struct {
	*walk
	verifier *rationale.Verifier
	known    bool // verifier stands where the next line must follow
	file     string
	number   uint64
}

func (c *chainReader) segment(f segmentFile, next *segmentFile) bool {
	c.file, c.number = f.path, f.number
	data, err := readFile(c.fs, f.path)
	if errors.Is(err, fs.ErrNotExist) && c.verifier == nil {
		return true // removed, as the oldest, since the folder was listed
	}
	if err != nil {
		c.known = false
		return c.problem(f.path, -1, c.after(), err)
	}
	if errors.Is(f.err, errHeader) && next == nil && !f.aside {
		// Its first write may have ended since the folder was listed.
		if h, err := decodeHeader(data); err == nil && h.Number == f.number && (h.Journal == f.header.Journal || f.header.Journal == "") {
			f.header, f.err = h, nil
		}
	}
	if f.err != nil {
		c.known = false
		if next == nil && !f.aside && (len(data) < headerSize || hasZeroSector(data, 0)) && errors.Is(f.err, errHeader) {
			return c.problem(f.path, 0, c.after(), fmt.Errorf("%w: a segment that was never used", ErrTorn))
		}
		return c.problem(f.path, 0, c.after(), f.err)
	}
	if !c.enter(f) {
		return false
	}
	s := scan(data, f.header)
	if s.lacksSnapshot() && !c.problem(f.path, headerSize, c.after(), errors.New(noSnapshot)) {
		return false
	}
	return c.body(f, s, next)
}

func (c *chainReader) after() rationale.Head {
	if c.verifier == nil {
		return rationale.Head{}
	}
	return c.verifier.Head()
}

// enter begins a segment where its header says.
func (c *chainReader) enter(f segmentFile) bool {
	if f.aside && !c.problem(f.path, -1, c.after(), ErrAside) {
		return false
	}
	before := f.header.before()
	if c.known && c.verifier.Head() != before {
		err := fmt.Errorf("the segment continues after record %d, and the one before it ends with record %d or is another", before.Seq, c.verifier.Head().Seq)
		if !c.problem(f.path, 0, c.after(), err) {
			return false
		}
	}
	if !c.known || c.verifier.Head() != before {
		c.verifier, c.known = rationale.ResumeVerifier(before), true
	}
	return true
}

// body reads the frames of a segment, and what can be read behind damage.
func (c *chainReader) body(f segmentFile, s body, next *segmentFile) bool {
	var taken *header // the next segment, where it says what still counts here
	if next != nil && next.err == nil && next.number == f.number+1 {
		taken = &next.header
	}
	for {
		for _, fr := range s.frames {
			if taken != nil && fr.First >= taken.First {
				if !taken.has(flagTorn) && !c.problem(f.path, fr.Offset, c.after(), errors.New("there is more in it than the next segment knows of")) {
					return false
				}
				continue // written again in the next segment, or never acknowledged
			}
			if !c.frame(fr) {
				return false
			}
		}
		if s.fault == noFault {
			return true
		}
		if s.torn() {
			switch {
			case taken != nil && taken.has(flagTorn) && c.verifier.Head() == taken.before():
				return true
			case next == nil && !f.aside:
				return c.problem(f.path, s.end, c.after(), ErrTorn)
			}
		}
		if !c.fault(f, s, taken) {
			return false
		}
		var ok bool
		if s, ok = s.more(); !ok {
			return true
		}
	}
}

// fault yields what is wrong at the end of a run of frames.
func (c *chainReader) fault(f segmentFile, s body, taken *header) bool {
	whole := c.verifier.Head()
	if taken == nil || whole != taken.before() {
		c.verifier.Skip()
		c.known = false
	}
	return c.problem(f.path, s.end, whole, errors.New(string(s.fault)))
}

// frame verifies and yields the lines of a frame.
func (c *chainReader) frame(f frame) bool {
	lines := uint32(0)
	for offset, line := range f.lines {
		lines++
		after := c.verifier.Head()
		envelope, err := c.verifier.Next(line)
		if err != nil && !c.problem(c.file, offset, after, err) {
			return false
		}
		if envelope.Body == nil {
			continue
		}
		var rec rationale.Record
		if !c.bodies {
			if rec, err = rationale.Unmarshal(envelope.Body); err != nil {
				if !c.problem(c.file, offset, after, err) {
					return false
				}
				continue
			}
		}
		if !c.yield(Entry{c.file, c.number, offset, envelope, c.verifier.Head().Hash, rec}, nil) {
			c.stopped = true
			return false
		}
	}
	if lines != f.Lines || f.Payload[len(f.Payload)-1] != '\n' {
		return c.problem(c.file, f.Offset, c.after(), fmt.Errorf("the frame holds %d lines, and says %d", lines, f.Lines))
	}
	return true
}
