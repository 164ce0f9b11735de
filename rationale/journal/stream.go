package journal

import (
	"errors"
	"io"

	"github.com/ambit-go/ambit/rationale"
)

// stream reads what was acknowledged, frame by frame, so that its memory is that
// of one frame and who reads on from where it ended reads nothing twice. It
// knows only sound records: at anything else it stops, and [walk] says what it is.
type stream struct {
	fs    FS
	last  rationale.Head // the end of what was acknowledged
	visit func(l streamed) bool
	err   error // of the file system, at which it stopped
}

// streamed is one line, where it lies.
type streamed struct {
	segment Segment
	offset  int64
	before  rationale.Head // the end of the chain before it
	head    rationale.Head // and with it
	body    []byte
}

// mark is a place in a segment from which reading can go on: before a frame.
type mark struct {
	segment uint64
	offset  int64
	before  rationale.Head // the end of the chain before the frame
}

// run reads segments, the first one from a mark on if there is one, until the
// last record that was acknowledged. It returns where it stands, and whether
// all was sound or visit wanted no more.
func (s *stream) run(segments []Segment, from mark) (at mark, sound bool) {
	for i, seg := range segments {
		if from.segment != seg.Number {
			if i > 0 && (seg.Journal != segments[i-1].Journal || seg.Number != segments[i-1].Number+1 || at.before.Seq != seg.First-1) {
				return at, false
			}
			before := at.before
			from = mark{segment: seg.Number}
			if i > 0 {
				from.before = before
			}
		}
		end := s.last.Seq
		if seg.Journal != s.last.Journal {
			return at, false
		}
		if i+1 < len(segments) && segments[i+1].First <= end {
			end = segments[i+1].First - 1 // from there on the next one counts
		}
		var ok, more bool
		if at, ok, more = s.segment(seg, from, end); !ok || !more {
			return at, ok
		}
	}
	return at, true
}

// segment reads one segment up to the record of a number.
func (s *stream) segment(seg Segment, from mark, end uint64) (at mark, sound, more bool) {
	f, err := s.fs.Open(seg.File)
	if err != nil {
		s.err = err
		return from, false, false
	}
	defer f.Close()
	h, err := readHeaderOf(f)
	if err != nil || h.Journal != seg.Journal || h.Number != seg.Number || h.First != seg.First {
		return from, false, false
	}
	if from.offset == 0 {
		if from.before.Journal != "" && from.before != h.before() {
			return from, false, false
		}
		from.offset, from.before = headerSize, h.before()
	}
	seed := h.seed()
	for from.before.Seq < end {
		fr, ok := s.frame(f, from.offset, seed)
		if !ok || fr.First != from.before.Seq+1 {
			return from, false, false
		}
		chain := rationale.ResumeChain(from.before)
		lines := uint32(0)
		for offset, line := range fr.lines {
			before := chain.Head()
			body, err := chain.Follow(line)
			if lines++; err != nil || chain.Head().Seq > end {
				return from, false, false
			}
			if !s.visit(streamed{seg, offset, before, chain.Head(), body}) {
				return from, true, false
			}
		}
		if lines != fr.Lines {
			return from, false, false
		}
		from.offset, from.before = fr.end(), chain.Head()
	}
	return from, true, true
}

// frame reads the frame at an offset.
func (s *stream) frame(f File, offset int64, seed uint32) (frame, bool) {
	b := make([]byte, frameHeaderSize)
	if !s.read(f, b, offset) {
		return frame{}, false
	}
	h, fault := decodeFrameHeader(b, offset, seed)
	if fault != noFault || h.size > maxPayload {
		return frame{}, false
	}
	payload := make([]byte, h.size)
	if !s.read(f, payload, offset+frameHeaderSize) {
		return frame{}, false
	}
	whole, fault := h.with(payload)
	return whole, fault == noFault
}

func (s *stream) read(f File, b []byte, offset int64) bool {
	n, err := f.ReadAt(b, offset)
	if n == len(b) {
		return true
	}
	if !errors.Is(err, io.EOF) {
		s.err = err
	}
	return false
}
