package journal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// How the names of segments end, and of those that [Repair] set aside.
const (
	Extension      = ".seg"
	asideExtension = Extension + ".damaged"
	lockName       = "LOCK"
)

// Segment is one file of a journal.
type Segment struct {
	File     string // as it can be opened
	Number   uint64 // from 1; a repair does not begin anew
	Journal  string
	First    uint64    // seq of its first record
	Opened   time.Time // when it was created
	Snapshot bool      // it begins with a snapshot
}

// segmentFile is a segment as its folder and its header show it.
type segmentFile struct {
	path   string
	number uint64
	aside  bool // set aside by a repair
	header header
	err    error // why the header cannot be used
}

func (s segmentFile) public() Segment {
	return Segment{
		File: s.path, Number: s.number, Journal: s.header.Journal, First: s.header.First,
		Opened: s.header.Time, Snapshot: s.header.has(flagSnapshot),
	}
}

func segmentName(number uint64) string { return fmt.Sprintf("%08d%s", number, Extension) }

// parseName reads the name of a segment.
func parseName(name string) (number uint64, aside, ok bool) {
	digits, ok := strings.CutSuffix(name, Extension)
	if !ok {
		if digits, ok = strings.CutSuffix(name, asideExtension); !ok {
			return 0, false, false
		}
		aside = true
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	return number, aside, err == nil && number > 0 && fmt.Sprintf("%08d", number) == digits
}

// list returns the segments of a folder by number, with their headers.
func list(fsys FS, dir string) ([]segmentFile, error) {
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []segmentFile
	for _, name := range names {
		if number, aside, ok := parseName(name); ok {
			s := segmentFile{path: filepath.Join(dir, name), number: number, aside: aside}
			s.header, s.err = readHeader(fsys, s.path)
			if s.err == nil && s.header.Number != number {
				s.err = fmt.Errorf("it is segment %d, under the name of another", s.header.Number)
			}
			files = append(files, s)
		}
	}
	slices.SortFunc(files, func(a, b segmentFile) int { return cmp.Compare(a.number, b.number) })
	return files, nil
}

func readHeader(fsys FS, path string) (header, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	return readHeaderOf(f)
}

func readHeaderOf(f File) (header, error) {
	b := make([]byte, headerSize)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, headerSize), b); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return header{}, errHeader
		}
		return header{}, err
	}
	return decodeHeader(b)
}

// maxFile is more than a segment can have, and bounds what reading one takes.
const maxFile = 2 << 30

// readFile returns a file's bytes, as many as it has when it is opened.
func readFile(fsys FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > maxFile {
		return nil, fmt.Errorf("it has %d bytes, and no segment has more than %d", size, int64(maxFile))
	}
	b := make([]byte, size)
	n, err := io.ReadFull(io.NewSectionReader(f, 0, size), b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // it became shorter meanwhile
	}
	return b[:n], err
}

// body is what a segment holds behind its header: valid frames up to an end, and
// what lies there if that is not the end of the file.
type body struct {
	header header
	data   []byte // of the whole file
	frames []frame
	end    int64
	fault  frameFault // at end; noFault: the file ends there
}

// scan reads frames until there is no more valid one.
func scan(data []byte, h header) body {
	s := body{header: h, data: data, end: min(headerSize, int64(len(data)))}
	seed := h.seed()
	for s.end < int64(len(data)) {
		f, fault := decodeFrame(data[s.end:], s.end, seed)
		if fault != noFault {
			s.fault = fault
			break
		}
		s.frames = append(s.frames, f)
		s.end = f.end()
	}
	return s
}

// torn reports whether what lies at the end is the torn end of a write.
func (s body) torn() bool { return torn(s.data[s.end:], s.end, s.header.seed()) }

// rest is how many bytes lie behind the end.
func (s body) rest() int64 { return int64(len(s.data)) - s.end }

// unused reports whether the segment was never used: its opening is not whole.
func (s body) unused() bool { return s.end < headerSize+int64(s.header.Opening) }

// more returns what can be read behind the end, where there is a valid frame.
func (s body) more() (body, bool) {
	at, ok := nextFrame(s.data[s.end:], s.end, s.header.seed())
	if !ok {
		return body{}, false
	}
	next := body{header: s.header, data: s.data, end: at}
	for next.end < int64(len(s.data)) {
		f, fault := decodeFrame(s.data[next.end:], next.end, s.header.seed())
		if fault != noFault {
			next.fault = fault
			break
		}
		next.frames = append(next.frames, f)
		next.end = f.end()
	}
	return next, true
}

// lines yields the lines of a frame, without their newlines, with their offsets
// in the file. A payload that does not end with a newline yields its rest.
func (f frame) lines(yield func(offset int64, line []byte) bool) {
	offset, rest := f.Offset+frameHeaderSize, f.Payload
	for len(rest) > 0 {
		line, after, _ := bytes.Cut(rest, []byte{'\n'})
		if !yield(offset, line) {
			return
		}
		offset, rest = offset+int64(len(line))+1, after
	}
}

// DamageError says where a journal cannot be read as it was written, and what
// to do.
type DamageError struct {
	File    string
	Offset  int64 // of the first byte that is wrong
	Bytes   int64 // from there to the end of the file
	Problem string
	Good    rationale.Head // the last line before it that could be verified
	Missing bool           // the file itself is gone
}

func (e *DamageError) Error() string {
	where := fmt.Sprintf("%s: damaged at byte %d", e.File, e.Offset)
	if e.Missing {
		where = e.File + ": missing"
	}
	return fmt.Sprintf("%s: %s; the last good record is number %d. Nothing was changed. See all of it with 'ambit verify', "+
		"restore the file if you can, or set it aside with 'ambit repair'", where, e.Problem, e.Good.Seq)
}
