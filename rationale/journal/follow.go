package journal

import (
	"fmt"
	"iter"

	"github.com/ambit-go/ambit/rationale"
)

// After yields the records behind a head, up to the last one that is
// acknowledged when After is called; all that are here behind the zero Head. With
// [Journal.Wait] it serves whoever delivers records somewhere and keeps the head
// of the last one that arrived.
//
// Records come in order, through repairs into the journals that follow. Problems
// are yielded as [Read] does. A head that is not in the journal, because what it names
// was retired or is another journal's, or that has another hash there, is a
// *[ReadError] of ErrStray and ends it.
//
// Reading on behind the head of the record that was yielded last, or up to which
// all were, reads nothing twice, whatever the length of a segment.
func (j *Journal) After(head rationale.Head) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		j.mu.Lock()
		last, segments, from := j.head, j.index, j.marks[head]
		j.mu.Unlock()
		start := startOf(segments, head)
		if start < 0 {
			yield(Entry{}, (&tail{head: head}).stray(j.dir, ErrMissing))
			return
		}
		t := tail{head: head, last: last, yield: yield, waiting: head.Seq > 0}
		s := stream{fs: j.fs, last: last, visit: t.visit}
		at, sound := s.run(segments[start:], from)
		if sound && !t.failed {
			if t.waiting && at.before != head {
				yield(Entry{}, t.stray(j.dir, fmt.Errorf("the journal ends with record %d", at.before.Seq)))
				return
			}
			j.remember(t.head, at)
			return
		}
		t = tail{head: t.head, last: last, yield: yield, waiting: t.head.Seq > 0}
		w := walk{fs: j.fs, yield: t.take}
		if start = startOf(segments, t.head); start < 0 {
			return
		}
		for _, files := range w.byJournal(w.headers(segments[start:])) {
			if !w.stopped {
				w.journal(files)
			}
		}
	}
}

// maxMarks bounds how many readers find their place again.
const maxMarks = 16

// remember keeps where reading on behind a head begins.
func (j *Journal) remember(head rationale.Head, at mark) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.marks == nil || len(j.marks) >= maxMarks {
		j.marks = make(map[rationale.Head]mark)
	}
	j.marks[head] = at
}

// startOf returns the index of the segment that holds a head, or -1.
func startOf(segments []Segment, head rationale.Head) int {
	if head.Seq == 0 {
		return 0
	}
	for i := len(segments) - 1; i >= 0; i-- {
		if s := segments[i]; s.Journal == head.Journal && s.First <= head.Seq {
			return i
		}
	}
	return -1
}

// headers returns segments with their headers.
func (w *walk) headers(segments []Segment) []segmentFile {
	files := make([]segmentFile, len(segments))
	for i, s := range segments {
		files[i] = segmentFile{path: s.File, number: s.Number}
		if files[i].header, files[i].err = readHeader(w.fs, s.File); files[i].err != nil {
			files[i].header.Journal = s.Journal
		}
	}
	return files
}

// tail passes on what lies between two heads.
type tail struct {
	head, last rationale.Head // head moves with what a stream passes on
	waiting    bool           // for head
	failed     bool           // the stream met what it does not know
	yield      func(Entry, error) bool
}

func (t *tail) stray(file string, err error) *ReadError {
	return &ReadError{File: file, Offset: -1, After: t.head, Err: fmt.Errorf("record %d of journal %s: %w: %w",
		t.head.Seq, rationale.Printable(t.head.Journal), err, ErrStray)}
}

// visit passes on what a stream reads.
func (t *tail) visit(l streamed) bool {
	if t.waiting {
		switch {
		case l.before == t.head:
			t.waiting = false
		case l.head == t.head || l.head.Seq < t.head.Seq:
			t.waiting = l.head != t.head
			return true
		default:
			t.failed = true
			return false
		}
	}
	rec, err := rationale.Unmarshal(l.body)
	if err != nil {
		t.failed = true
		return false
	}
	t.head = l.head
	return t.yield(Entry{
		File: l.segment.File, Segment: l.segment.Number, Offset: l.offset, Hash: l.head.Hash, Record: rec,
		Envelope: rationale.Envelope{Journal: l.head.Journal, Seq: l.head.Seq, Prev: l.before.Hash, Body: l.body},
	}, nil)
}

func (t *tail) take(e Entry, err error) bool {
	switch {
	case err != nil && Torn(err):
		return true // what is being written is not acknowledged
	case err != nil:
		return t.yield(e, err)
	case e.Envelope.Journal == t.last.Journal && e.Envelope.Seq > t.last.Seq:
		return false
	case !t.waiting || e.Envelope.Journal != t.head.Journal || e.Envelope.Seq > t.head.Seq:
		return t.yield(e, nil)
	case e.Envelope.Seq == t.head.Seq && e.Hash != t.head.Hash:
		t.yield(Entry{}, &ReadError{e.File, e.Offset, t.head, fmt.Errorf("record %d is another than the one that was kept: its hash is %s, and not %s: %w",
			t.head.Seq, e.Hash, rationale.Printable(t.head.Hash), ErrStray)})
		return false
	}
	return true
}
