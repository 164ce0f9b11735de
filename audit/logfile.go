package audit

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What a compressed file may expand to. CloudTrail's shrink to a tenth, the most
// repetitive logs to a hundredth; what goes beyond is made to fill memory or time.
const (
	expandFree  = 256 << 20 // bytes, whatever the ratio
	expandRatio = 300
)

// logFile is a file of a log, not yet opened.
type logFile struct {
	path     string // as people know it
	size     int64  // bytes, as it lies on the disk
	modified time.Time
	open     func() (fs.File, error)
}

// eachFile calls f with the files that a path names: of a folder all regular
// ones in it, in the order of their names, hidden ones and CloudTrail's own
// digests excepted. Nothing outside of a folder is opened through a link in it.
// What cannot be read is given to fail; the error does not name the path.
func eachFile(path string, fail func(path string, err error), f func(logFile) error) error {
	info, err := os.Stat(path)
	if err != nil {
		fail(path, plainPathError(err))
		return nil
	}
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			fail(path, errors.New("not a regular file"))
			return nil
		}
		return f(logFile{path, info.Size(), info.ModTime(), func() (fs.File, error) { return os.Open(path) }})
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		fail(path, plainPathError(err))
		return nil
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		full := filepath.Join(path, filepath.FromSlash(name))
		switch {
		case err != nil:
			fail(full, plainPathError(err))
			return nil
		case name != "." && strings.HasPrefix(entry.Name(), "."), isDigest(entry):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		info, err := root.Stat(filepath.FromSlash(name))
		if err != nil {
			fail(full, plainPathError(err))
			return nil
		}
		if !info.Mode().IsRegular() {
			fail(full, errors.New("not a regular file"))
			return nil
		}
		return f(logFile{full, info.Size(), info.ModTime(), func() (fs.File, error) { return root.Open(filepath.FromSlash(name)) }})
	})
}

// sizeOfLogs returns how many bytes the files of all logs have, as they lie on the disk.
func (d *Document) sizeOfLogs() int64 {
	size := int64(0)
	for i := range d.logs {
		for _, path := range d.logs[i].paths {
			_ = eachFile(path, func(string, error) {}, func(f logFile) error { // what fails is said when it is read
				size += f.size
				return nil
			})
		}
	}
	return size
}

// isDigest tells CloudTrail's own folders beside its logs.
func isDigest(entry fs.DirEntry) bool {
	return entry.IsDir() && (entry.Name() == "CloudTrail-Digest" || entry.Name() == "CloudTrail-Insight")
}

// plainPathError is the error without the path, which stands before it.
func plainPathError(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// unpacker reads what files hold, one after the other, unpacked where they are
// compressed.
type unpacker struct {
	in     *bufio.Reader
	packed counter // of the file that is read
}

func newUnpacker() *unpacker { return &unpacker{in: bufio.NewReader(nil)} }

func (u *unpacker) expanding(file io.Reader) (io.Reader, error) {
	u.packed = counter{in: file}
	in := u.in
	in.Reset(&u.packed)
	magic, err := in.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		return in, nil
	}
	unpacked, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("not gzip, though it begins so: %w", err)
	}
	return &bounded{in: unpacked, packed: &u.packed}, nil
}

// counter counts what is read.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n += int64(n)
	return n, err
}

// bounded ends when it has expanded too much.
type bounded struct {
	in     io.Reader
	packed *counter
	n      int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.n > expandFree && b.n/expandRatio > b.packed.n {
		return 0, fmt.Errorf("it expands to more than %d times its size: the rest is not read", expandRatio)
	}
	n, err := b.in.Read(p)
	b.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("unpacking: %w", err)
	}
	return n, err
}

// fileNames numbers the files that events are in.
type fileNames []string

func (f *fileNames) add(path string) int {
	*f = append(*f, path)
	return len(*f) - 1
}

// logReader reads the events of one log, one file after the other.
type logReader struct {
	log    *log
	index  int
	doc    *Document
	pick   *picker
	packed *unpacker
	text   *bufio.Reader
	split  *splitter
	format eventReader
	keys   []int // slots
	values []int // slots, by index of Document.paths
	event  event
	files  *fileNames
	opened int
	before *state               // what an earlier run left
	after  map[string]fileState // what this one leaves, by path

	done int64     // bytes of the files that are read, as they lie on the disk
	sum  hash.Hash // of the events of a file so far; nil: there is no state
	row  rowOut

	problem  func(file string, offset int64, err error)
	progress func(bytes int64) // read of all files
	yield    func(*event) error
}

func newLogReader(doc *Document, index int) *logReader {
	l := &doc.logs[index]
	r := &logReader{
		log: l, index: index, doc: doc, pick: newPicker(),
		packed: newUnpacker(), text: bufio.NewReader(nil), split: newSplitter(nil, l.format != CloudTrail),
		progress: func(int64) {},
	}
	switch l.format {
	case CloudTrail:
		r.format = newCloudTrail(r.pick)
	case Kubernetes:
		r.format = newKubernetes(r.pick)
	default:
		r.format = newLinesReader(l.mapping, r.pick)
	}
	if doc.state != "" {
		r.sum = sha256.New()
	}
	for _, path := range l.keys {
		r.keys = append(r.keys, r.pick.mustWant(path))
	}
	for _, path := range doc.paths {
		r.values = append(r.values, r.pick.mustWant(path))
	}
	return r
}

// read yields the events of all files. It returns what yield or the context
// returns; what is wrong with a file is a problem, and the rest is read.
func (r *logReader) read(ctx context.Context) error {
	fail := func(path string, err error) { r.problem(path, -1, err) }
	for _, path := range r.log.paths {
		if err := eachFile(path, fail, func(f logFile) error { return r.file(ctx, f) }); err != nil {
			return err
		}
	}
	return nil
}

func (r *logReader) file(ctx context.Context, f logFile) error {
	file, err := f.open()
	if err != nil {
		r.problem(f.path, -1, plainPathError(err))
		return nil
	}
	defer file.Close()
	defer func() { r.done += r.packed.packed.n }()
	r.opened++
	in, err := r.packed.expanding(file)
	if err != nil {
		r.problem(f.path, 0, err)
		return nil
	}
	r.text.Reset(in)
	renamed := r.log.format != CloudTrail // whose files keep their names
	before, others, now := r.before.readBefore(f, renamed, r.text)
	if len(others) > 0 {
		if before, err = r.longer(ctx, f, others); err != nil {
			return err
		}
	}
	r.split.reset(r.text)
	if r.sum != nil {
		r.sum.Reset()
	}
	if now.Read, err = r.stream(ctx, f.path, before, r.split); err != nil {
		return err
	}
	now.Events = r.summed()
	r.after[f.path] = now
	return nil
}

// longer returns how far a file was read before, where it is one of others that has
// grown, or was rotated: its events up to there are the same.
func (r *logReader) longer(ctx context.Context, f logFile, others []fileState) (read int64, err error) {
	again := newLogReader(r.doc, r.index)
	again.files, again.before, again.after = &fileNames{}, &state{}, map[string]fileState{}
	again.problem = func(string, int64, error) {} // it is said when the file is read
	compare := func(offset int64) {
		for len(others) > 0 && others[0].Read <= offset {
			if others[0].Events == again.summed() {
				read = others[0].Read
			}
			others = others[1:]
		}
	}
	again.yield = func(e *event) error {
		compare(e.offset)
		return nil
	}
	err = again.file(ctx, f)
	compare(again.after[f.path].Read)
	return read, err
}

func (r *logReader) summed() string {
	if r.sum == nil {
		return ""
	}
	return hex.EncodeToString(r.sum.Sum(nil))
}

// stream yields the events of one file, and returns how far it could be read. What
// stands before the place that an earlier run came to is marked as seen.
func (r *logReader) stream(ctx context.Context, path string, before int64, s *splitter) (read int64, err error) {
	file := r.files.add(path)
	for n := 0; ; n++ {
		if n%1024 == 0 {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			r.progress(r.done + r.packed.packed.n)
		}
		data, offset, err := s.next()
		if bad, ok := errors.AsType[*badRecord](err); ok {
			r.problem(path, bad.offset, errors.New(bad.problem))
			if s.wasCut {
				return bad.offset, nil
			}
			continue
		}
		if errors.Is(err, io.EOF) {
			return s.offset(), nil
		}
		if err != nil {
			r.problem(path, offset, err)
			return offset, nil
		}
		if err := r.record(data); err != nil {
			r.problem(path, offset, err)
			if s.unended { // it is being written: the next run reads all of it
				return offset, nil
			}
			continue
		}
		r.event.file, r.event.offset = file, offset
		r.event.seen = offset < before && r.event.at.Before(r.before.Until)
		if err := r.yield(&r.event); err != nil {
			return 0, err
		}
		if r.sum != nil {
			r.row.reset()
			r.row.num(uint64(offset))
			r.row.time(r.event.at)
			r.row.str(r.event.id)
			r.sum.Write(r.row)
		}
	}
}

// Limits of what is kept of one event. What is longer is cut, with its digest:
// two that differ stay different.
const (
	maxText   = 512  // bytes of an id, a name or a value
	maxValues = 1024 // at one path: a call of AWS names up to 1000 things
	maxKeys   = 64   // at one path
)

// moreValues stands for those beyond maxValues. It equals no argument, which is UTF-8.
const moreValues = "\xff"

// record reads one event into r.event.
func (r *logReader) record(data []byte) error {
	e := &r.event
	*e = event{agent: -1, log: r.index, principals: e.principals[:0], keys: e.keys[:0], values: e.values}
	if err := r.pick.pick(data); err != nil {
		return err
	}
	if err := r.format.read(r.pick, e); err != nil {
		return err
	}
	e.id, e.sent, e.action, e.principal, e.resource = short(e.id), short(e.sent), short(e.action), short(e.principal), short(e.resource)
	e.agent = r.doc.agentOf(e.principals)
	switch {
	case anyMatches(r.doc.except, e.action):
		e.readOnly = true
	case anyMatches(r.doc.also, e.action):
		e.readOnly = false
	}
	if e.agent < 0 || e.readOnly || e.service {
		e.values = e.values[:0]
		return nil // what it says beyond that is of no interest
	}
	for i, slot := range r.keys {
		n := 0
		r.pick.all(slot, func(v picked, text []byte) {
			if n < maxKeys && len(text) > 0 {
				e.keys = append(e.keys, key{i, shortKey(string(text))})
				n++
			}
		})
	}
	e.values = e.values[:0]
	for _, slot := range r.values {
		var at []string
		r.pick.all(slot, func(v picked, text []byte) {
			switch n := len(at); {
			case n < maxValues:
				at = append(at, short(string(text)))
			case n == maxValues:
				at = append(at, moreValues)
			}
		})
		e.values = append(e.values, at)
	}
	return nil
}

func (d *Document) agentOf(principals []string) int {
	for i := range d.agents {
		for _, name := range principals {
			if anyMatches(d.agents[i].principals, name) {
				return i
			}
		}
	}
	return -1
}
