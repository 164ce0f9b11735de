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
// *[ReadError] and ends it.
func (j *Journal) After(head rationale.Head) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		j.mu.Lock()
		last, segments := j.head, j.index
		j.mu.Unlock()
		start := startOf(segments, head)
		if start < 0 {
			yield(Entry{}, &ReadError{File: j.dir, Offset: -1, After: head, Err: fmt.Errorf("record %d of journal %s: %w",
				head.Seq, rationale.Printable(head.Journal), ErrMissing)})
			return
		}
		t := tail{head: head, last: last, yield: yield, waiting: head.Seq > 0}
		w := walk{fs: j.fs, yield: t.take}
		for _, files := range w.byJournal(w.headers(segments[start:])) {
			if !w.stopped {
				w.journal(files)
			}
		}
	}
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
	head, last rationale.Head
	waiting    bool // for head
	yield      func(Entry, error) bool
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
		t.yield(Entry{}, &ReadError{e.File, e.Offset, t.head, fmt.Errorf("record %d is another than the one that was kept: its hash is %s, and not %s",
			t.head.Seq, e.Hash, rationale.Printable(t.head.Hash))})
		return false
	}
	return true
}
