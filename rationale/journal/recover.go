package journal

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/ambit-go/ambit/rationale"
)

// recovery finds out where a journal stands, and rebuilds the state.
type recovery struct {
	config
	dir string

	index   []Segment
	last    uint64         // number of the last segment
	oldest  uint64         // number of the oldest that must be there
	head    rationale.Head // the last record
	durable rationale.Head // the last that is known to be durable
	carry   [][]byte       // the lines between them
	cut     []rationale.Damage
	torn    bool // the last segment ends with what does not count

	applying bool // the state is that before the next record
	tail     body // of the last segment, once it was read
}

func (r *recovery) run() error {
	files, err := list(r.fs, r.dir)
	if err != nil {
		return err
	}
	if files, err = r.dropUnused(files); err != nil || len(files) == 0 {
		return err
	}
	begin := lineage(files)
	if err := continuous(files, begin); err != nil {
		return err
	}
	r.oldest = files[len(files)-1].header.Oldest
	if files[0].number > r.oldest {
		return beginsLate(files[0], r.oldest)
	}
	start, err := r.start(files, begin)
	if err != nil {
		return err
	}
	for i := start; i < len(files); i++ {
		if i < begin {
			err = r.history(files[i])
		} else {
			err = r.segment(files, i)
		}
		if err != nil {
			return err
		}
	}
	for _, f := range files {
		if !f.aside && f.err == nil {
			r.index = append(r.index, f.public())
		}
	}
	r.last = files[len(files)-1].number
	return r.settle(files[len(files)-1])
}

// beginsLate is the damage of a journal whose oldest segments are gone, though
// none of its segments says that they were retired.
func beginsLate(first segmentFile, oldest uint64) *DamageError {
	return &DamageError{
		File:    filepath.Join(filepath.Dir(first.path), segmentName(oldest)),
		Problem: fmt.Sprintf("the journal begins with segment %d, and was not retired up to there", first.number), Missing: true,
	}
}

// lineage returns the index of the segment at which the current journal begins:
// the last one that a repair began, or the first.
func lineage(files []segmentFile) int {
	for i := len(files) - 1; i > 0; i-- {
		if files[i].err == nil && files[i].header.has(flagNew) {
			return i
		}
	}
	return 0
}

// continuous checks the headers of the current journal's segments.
func continuous(files []segmentFile, begin int) error {
	for i := begin; i < len(files); i++ {
		if err := files[i].usable(); err != nil {
			return err
		}
		if i > begin {
			if err := files[i].follows(files[i-1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// usable returns a *[DamageError] unless the segment's header is good and the
// segment in use.
func (s segmentFile) usable() error {
	switch {
	case s.aside:
		return &DamageError{File: s.path, Problem: "a repair set this segment aside and was not finished"}
	case s.err != nil:
		return &DamageError{File: s.path, Problem: s.err.Error()}
	}
	return nil
}

// follows returns a *[DamageError] unless the segment is the one behind before.
func (s segmentFile) follows(before segmentFile) error {
	damage := &DamageError{File: s.path, Good: before.header.before()}
	switch {
	case s.number == before.number:
		damage.Problem = fmt.Sprintf("segment %d is there twice", s.number)
	case s.number != before.number+1:
		damage.File = filepath.Join(filepath.Dir(s.path), segmentName(before.number+1))
		damage.Missing = true
		damage.Problem = fmt.Sprintf("segment %d follows segment %d", s.number, before.number)
	case before.err != nil || before.aside:
		return nil // there is nothing more to compare with
	case s.header.Journal != before.header.Journal:
		damage.Problem = "it belongs to journal " + s.header.Journal
	case s.header.First < before.header.First:
		damage.Problem = fmt.Sprintf("it begins with record %d, and the segment before it with %d", s.header.First, before.header.First)
	default:
		return nil
	}
	return damage
}

// dropUnused removes a last segment that was being begun when its writer ended:
// nothing was ever acknowledged in it.
func (r *recovery) dropUnused(files []segmentFile) ([]segmentFile, error) {
	if len(files) == 0 || files[len(files)-1].aside {
		return files, nil
	}
	last := files[len(files)-1]
	if last.err != nil && !errors.Is(last.err, errHeader) {
		return files, nil
	}
	data, err := readFile(r.fs, last.path)
	if err != nil {
		return nil, err
	}
	var unused bool
	if last.err != nil {
		unused = len(data) < headerSize || hasZeroSector(data, 0)
	} else {
		r.tail = scan(data, last.header)
		unused = r.tail.unused() && r.tail.torn()
	}
	if !unused {
		return files, nil
	}
	if err := r.fs.Remove(last.path); err != nil {
		return nil, err
	}
	r.cut = append(r.cut, rationale.Damage{
		File: filepath.Base(last.path), Bytes: int64(len(data)), Problem: "the segment was begun and never used",
	})
	r.tail = body{}
	return files[:len(files)-1], nil
}

// start returns the segment from which on everything has to be read.
func (r *recovery) start(files []segmentFile, begin int) (int, error) {
	if r.state == nil {
		return len(files) - 1, nil
	}
	for i := len(files) - 1; i >= 0; i-- {
		f := files[i]
		if f.err == nil && f.header.has(flagSnapshot) && (i >= begin || r.holdsSnapshot(f)) {
			return i, nil
		}
	}
	if files[0].number != 1 && begin == 0 { // what a repair could not save is said to be missing
		return 0, &DamageError{
			File: files[0].path, Problem: "the segments before it were retired, and no later one holds a snapshot of what they said",
		}
	}
	r.applying = true
	return 0, nil
}

// holdsSnapshot looks for a readable snapshot in a segment of an earlier journal.
func (r *recovery) holdsSnapshot(f segmentFile) bool {
	data, err := readFile(r.fs, f.path)
	if err != nil {
		return false
	}
	return scan(data, f.header).holdsSnapshot()
}

// holdsSnapshot looks for a readable snapshot.
func (s body) holdsSnapshot() bool {
	for _, f := range s.frames {
		for _, line := range f.lines {
			if !bytes.Contains(line, []byte(`"kind":"snapshot"`)) {
				continue // and no reason to decode it
			}
			if rec, _ := decode(line); rec != nil && rec.RecordKind() == rationale.KindSnapshot {
				return true
			}
		}
	}
	return false
}

// lacksSnapshot reports whether a segment lacks the snapshot that its header says it
// begins with: who rebuilt the state from there would have an empty one.
func (s body) lacksSnapshot() bool {
	return s.header.has(flagSnapshot) && !s.unused() && !s.holdsSnapshot()
}

const noSnapshot = "its header says that it begins with a snapshot, and it holds none"

// decode reads the record of a line whose place was not verified.
func decode(line []byte) (rationale.Record, rationale.Envelope) {
	var v rationale.Verifier
	e, _ := v.Next(line)
	if e.Body == nil {
		return nil, e
	}
	rec, err := rationale.Unmarshal(e.Body)
	if err != nil {
		return nil, e
	}
	return rec, e
}

// history takes in what can be read of a segment before a repair: it is known
// to be incomplete.
func (r *recovery) history(f segmentFile) error {
	if f.err != nil {
		return nil
	}
	data, err := readFile(r.fs, f.path)
	if err != nil {
		return err
	}
	for s, ok := scan(data, f.header), true; ok; s, ok = s.more() {
		for _, fr := range s.frames {
			for _, line := range fr.lines {
				if rec, e := decode(line); rec != nil {
					if err := r.take(rec, Position{e.Journal, f.number, e.Seq}); err != nil {
						return fmt.Errorf("%s: %w", f.path, err)
					}
				}
			}
		}
	}
	return nil
}

// segment verifies the frames of a segment of the current journal, and takes in
// their records.
func (r *recovery) segment(files []segmentFile, i int) error {
	s := r.tail
	if i < len(files)-1 || s.data == nil {
		data, err := readFile(r.fs, files[i].path)
		if err != nil {
			return err
		}
		s = scan(data, files[i].header)
	}
	var next *header
	if i < len(files)-1 {
		next = &files[i+1].header
	}
	head, err := r.frames(files[i], s, next)
	if err != nil {
		return err
	}
	r.head = head
	if next == nil {
		r.tail = s
		r.finish(files[i], s)
	}
	return nil
}

// frames follows the chain through a segment, up to where the next one takes it
// over, and returns its end.
func (r *recovery) frames(file segmentFile, s body, next *header) (rationale.Head, error) {
	chain := rationale.ResumeChain(s.header.before())
	damage := func(at int64, problem string) error {
		return &DamageError{File: file.path, Offset: at, Bytes: int64(len(s.data)) - at, Problem: problem, Good: chain.Head()}
	}
	if s.lacksSnapshot() {
		return rationale.Head{}, damage(headerSize, noSnapshot)
	}
	r.durable = chain.Head()
	end, mark := s.end, s.mark()
	for _, f := range s.frames {
		if next != nil && f.First >= next.First {
			end = f.Offset
			break
		}
		if problem := r.follow(chain, f, file.number); problem != nil {
			return rationale.Head{}, damage(f.Offset, problem.Error())
		}
		if f.Offset < mark {
			r.durable = chain.Head()
		}
	}
	switch {
	case next == nil && s.unused():
		return rationale.Head{}, damage(s.end, "what was written together with the header is not whole")
	case next == nil && s.fault != noFault && !s.torn():
		return rationale.Head{}, damage(s.end, string(s.fault)+", and it is not the torn end of a write")
	case next == nil:
		return chain.Head(), nil
	case chain.Head() != next.before():
		problem := fmt.Sprintf("the next segment continues after record %d, and this one can be read up to %d", next.First-1, chain.Head().Seq)
		if s.fault != noFault {
			problem = string(s.fault) + ": " + problem
		}
		return rationale.Head{}, damage(end, problem)
	case end < int64(len(s.data)) && !next.has(flagTorn):
		return rationale.Head{}, damage(end, "there is more in it than the next segment knows of")
	}
	return chain.Head(), nil
}

// follow checks a frame's lines and takes in their records.
func (r *recovery) follow(chain *rationale.Chain, f frame, number uint64) error {
	if f.First != chain.Head().Seq+1 {
		return fmt.Errorf("the frame begins with record %d, and follows record %d", f.First, chain.Head().Seq)
	}
	lines := uint32(0)
	for _, line := range f.lines {
		body, err := chain.Follow(line)
		if err != nil {
			return err
		}
		lines++
		if r.state == nil {
			continue
		}
		rec, err := rationale.Unmarshal(body)
		if err != nil {
			return err
		}
		if err := r.take(rec, Position{chain.Head().Journal, number, chain.Head().Seq}); err != nil {
			return err
		}
	}
	if lines != f.Lines || f.Payload[len(f.Payload)-1] != '\n' {
		return fmt.Errorf("the frame holds %d lines, and says %d", lines, f.Lines)
	}
	return nil
}

// take gives a record to the state, from the first snapshot on.
func (r *recovery) take(rec rationale.Record, at Position) error {
	if r.state == nil {
		return nil
	}
	switch rec := rec.(type) {
	case *rationale.Snapshot:
		if r.applying {
			return nil // it says what the records before it have said
		}
		if err := r.state.Restore(rec); err != nil {
			return fmt.Errorf("the snapshot %s cannot be used: %w", rationale.Printable(rec.ID), err)
		}
		r.applying = true
	case *rationale.Checkpoint:
	default:
		if r.applying {
			r.state.Apply(rec, at)
		}
	}
	return nil
}

// finish notes a torn end, and which lines must be written again because their
// fsync may not have taken place, or may have failed: what the kernel shows of
// them says nothing about the disk. All before the last frame's mark were synced.
func (r *recovery) finish(file segmentFile, s body) {
	if s.fault != noFault {
		r.torn = true
		r.cut = append(r.cut, rationale.Damage{
			File: filepath.Base(file.path), Offset: s.end, Bytes: s.rest(), Problem: string(s.fault),
		})
	}
	mark := s.mark()
	for _, f := range s.frames {
		if f.Offset < mark {
			continue
		}
		for _, line := range f.lines {
			r.carry = append(r.carry, append(slices.Clone(line), '\n'))
		}
	}
}

// mark is the offset behind what was synced for certain.
func (s body) mark() int64 {
	if len(s.frames) == 0 {
		return s.end
	}
	return max(s.frames[len(s.frames)-1].Durable, headerSize+int64(s.header.Opening))
}

// settle makes the opening of the last segment durable where nothing was written
// after it: its writer may have ended before its fsync.
func (r *recovery) settle(last segmentFile) error {
	if len(r.carry) > 0 {
		return nil
	}
	f, err := r.fs.Open(last.path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
