package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// begin starts the next segment and makes it the one that is written to: with
// the lines that are not known to be durable, a snapshot, the notes and a
// checkpoint, in one write. After an error the segment before is still the one.
func (w *writer) begin() error {
	if w.leftover != "" {
		if err := w.fs.Remove(w.leftover); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		w.leftover = ""
	}
	now := w.now()
	o, err := w.opening(now)
	if err != nil {
		return err
	}
	path := filepath.Join(w.dir, segmentName(o.header.Number))
	file, err := w.fs.Create(path)
	if err != nil {
		return err // one that exists is another writer's
	}
	if err := w.store(file, path, o.bytes); err != nil {
		err = errors.Join(err, file.Close())
		if remove := w.fs.Remove(path); remove != nil && !errors.Is(remove, fs.ErrNotExist) {
			w.leftover = path
		}
		return err
	}
	if w.file != nil {
		_ = w.file.Close() // all of it is durable, or carried over
	}
	w.file, w.header, w.seed, w.size = file, o.header, o.header.seed(), int64(len(o.bytes))
	w.segment = segmentFile{path: path, number: o.header.Number, header: o.header}.public()
	w.begun = append(w.begun, w.segment)
	w.number, w.records, w.head, w.checkpoint = o.header.Number, o.records, o.head, nil
	w.settled()
	w.torn, w.failed, w.notes, w.checked = false, nil, nil, now
	if o.signed {
		w.unsigned = 0
	}
	for _, a := range o.notes {
		w.tell(a.rec, a.seq)
	}
	return nil
}

// store makes a new file and its name durable.
func (w *writer) store(file File, path string, b []byte) error {
	if err := w.meter.write(file, b); err != nil {
		return err
	}
	if err := w.meter.sync(file); err != nil {
		return err
	}
	if err := w.fs.SyncDir(w.dir); err != nil {
		return err
	}
	return w.fs.InPlace(file, path)
}

// opening is how a segment begins.
type opening struct {
	header  header
	bytes   []byte
	head    rationale.Head
	records int
	notes   []placed
	signed  bool
}

// placed is a record with its seq.
type placed struct {
	rec rationale.Record
	seq uint64
}

func (w *writer) opening(now time.Time) (opening, error) {
	o := opening{header: header{
		Journal: w.head.Journal, Number: w.number + 1, First: w.durable.Seq + 1, Prev: w.durable.Hash, Time: now,
		Oldest: w.oldest,
	}}
	if w.torn || len(w.carry) > 0 {
		o.header.Flags |= flagTorn
	}
	if w.fresh {
		o.header.Flags |= flagNew
	}
	chain := rationale.ResumeChain(w.head)
	var snapshot []rationale.Record
	if w.state != nil {
		if snapshot = w.state.Snapshot(now); len(snapshot) > 0 {
			o.header.Flags |= flagSnapshot
		}
	}
	lines, err := appendAll(chain, snapshot)
	if err != nil {
		return o, err
	}
	for _, note := range w.notes {
		o.notes = append(o.notes, placed{note, chain.Head().Seq + 1})
		line, err := chain.Append(note)
		if err != nil {
			return o, err
		}
		lines = append(lines, line)
	}
	if w.key != nil && chain.Head().Seq > 0 {
		c, err := rationale.SignCheckpoint(chain.Head(), now, w.key)
		if err != nil {
			return o, err
		}
		line, err := chain.Append(c)
		if err != nil {
			return o, err
		}
		lines, o.signed = append(lines, line), true
		o.notes = append(o.notes, placed{c, chain.Head().Seq})
	}
	var carry [][]byte
	for _, payload := range w.carry {
		carry = slices.AppendSeq(carry, bytes.Lines(payload))
	}
	o.head, o.records = chain.Head(), len(lines)+len(carry)
	o.bytes = make([]byte, headerSize)
	first := o.header.First
	for _, group := range [][][]byte{carry, lines} {
		for len(group) > 0 {
			var part [][]byte
			part, group = split(group)
			f := frame{Offset: int64(len(o.bytes)), First: first, Lines: uint32(len(part)), Payload: join(part)}
			if o.bytes, err = f.append(o.bytes, o.header.seed()); err != nil {
				return o, err
			}
			first += uint64(len(part))
		}
	}
	o.header.Opening = uint32(len(o.bytes) - headerSize)
	head, err := o.header.encode()
	if err != nil {
		return o, err
	}
	copy(o.bytes, head)
	return o, nil
}

func appendAll(chain *rationale.Chain, recs []rationale.Record) ([][]byte, error) {
	var lines [][]byte
	for _, rec := range recs {
		line, err := chain.Append(rec)
		if err != nil {
			return nil, fmt.Errorf("write the state: %w", err)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// split takes as many lines from the front as fit a frame.
func split(lines [][]byte) (part, rest [][]byte) {
	n, size := 0, 0
	for n < len(lines) && (n == 0 || size+len(lines[n]) <= maxPayload) {
		size += len(lines[n])
		n++
	}
	return lines[:n], lines[n:]
}
