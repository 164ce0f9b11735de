package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

const (
	// maxUnsynced is how much may be written before it is synced, whoever asks.
	maxUnsynced = 16 << 20
	// retryAfter is how long a journal that could not begin a segment refuses
	// before it tries again.
	retryAfter = time.Second
	// checkEvery is how often the segment is looked for in its folder while
	// nothing is synced.
	checkEvery = 100 * time.Millisecond
)

// writer writes segments. It belongs to whoever holds the journal's turn.
type writer struct {
	config
	dir   string
	lock  File
	fresh bool // the next segment begins a journal, after a repair

	file    File // nil: there is no segment to write to
	segment Segment
	header  header
	seed    uint32 // of the header
	size    int64  // of the file
	synced  int64  // bytes of it that are durable
	records int    // in the segment
	checked time.Time
	begun   []Segment // that nobody else knows of yet

	number  uint64         // of the last segment, whether it can be written to or not
	oldest  uint64         // number of the oldest segment that was not retired
	torn    bool           // it may end with what does not count
	head    rationale.Head // the last record that is written
	durable rationale.Head // the last record that is durable
	carry   [][]byte       // the payloads between them
	carried int            // bytes of carry

	notes      []rationale.Record // what the next segment must say
	unsigned   int                // records since the last checkpoint
	leftover   string             // a file that could not be removed
	failed     error              // why the last attempt to begin a segment failed
	retryAt    time.Time
	lost       error // for good
	checkpoint *rationale.Checkpoint
	frame      []byte // the one that is being written; room for the next
}

// quick writes a group that nobody waits for to be durable, where that takes one
// call of the file system, and reports whether it has.
func (w *writer) quick(g *group) (done bool, err error) {
	now := w.now()
	if w.file == nil || w.lost != nil || w.failed != nil || w.due(now) ||
		w.carried+g.size > maxUnsynced-maxRoom || now.Sub(w.checked) >= checkEvery {
		return false, nil
	}
	again, err := w.attempt(g, now)
	if again {
		return false, nil
	}
	return true, err
}

// write makes a group durable, or only writes it where nobody needs more. With an
// error none of it counts.
func (w *writer) write(g *group) error {
	var last error
	now := w.now()
	for range 2 { // in the segment that there is, and in a fresh one
		if err := w.ready(now); err != nil {
			return errors.Join(last, err)
		}
		if len(g.bodies) == 0 {
			return w.inPlace()
		}
		again, err := w.attempt(g, now)
		if !again {
			return err
		}
		last = err
	}
	w.failed, w.retryAt = last, w.now().Add(retryAfter)
	return last
}

// attempt writes a group to the segment that there is. Where that fails the
// segment is given up, and it reports whether a fresh one may do.
func (w *writer) attempt(g *group, now time.Time) (again bool, err error) {
	head, err := w.encode(g)
	if err != nil {
		return false, err
	}
	if err = w.put(head, g.sync, now); err == nil {
		w.apply(g.recs, head)
		return false, nil
	}
	if w.lost != nil {
		return false, w.lost
	}
	w.poison()
	return true, err
}

// encode gives the group's records their places behind the head, adds a
// checkpoint where one is due, and leaves the lines in w.frame, behind the room
// for a frame's header.
func (w *writer) encode(g *group) (rationale.Head, error) {
	chain := rationale.ResumeChain(w.head)
	w.room(g.size)
	for _, b := range g.bodies {
		w.frame = chain.AppendBody(w.frame, b)
	}
	w.checkpoint = nil
	if w.key != nil && w.unsigned+len(g.bodies) >= w.checkpointEvery {
		return w.sign(chain)
	}
	return chain.Head(), nil
}

// sign adds a checkpoint of the chain.
func (w *writer) sign(chain *rationale.Chain) (rationale.Head, error) {
	c, err := rationale.SignCheckpoint(chain.Head(), w.now(), w.key)
	if err != nil {
		return w.head, err
	}
	line, err := chain.Append(c)
	if err != nil {
		return w.head, err
	}
	w.checkpoint, w.frame = c, append(w.frame, line...)
	return chain.Head(), nil
}

const (
	// chunk is how much memory is had at once for frames whose payloads stay.
	chunk = 64 << 10
	// maxRoom is how much of memory stays reserved for the next frame.
	maxRoom = 1 << 20
)

// room empties w.frame but for the room of a frame's header.
func (w *writer) room(size int) {
	if size += frameHeaderSize; cap(w.frame) < size || cap(w.frame) > maxRoom {
		w.frame = make([]byte, max(size, chunk))
	}
	w.frame = w.frame[:frameHeaderSize]
}

// put writes the lines in w.frame, which end at a head, as one frame. After an
// error the file must not be written to again.
func (w *writer) put(head rationale.Head, sync bool, now time.Time) error {
	b, payload, lines := w.frame, w.frame[frameHeaderSize:], int(head.Seq-w.head.Seq)
	f := frame{Offset: w.size, First: w.head.Seq + 1, Lines: uint32(lines), Durable: w.synced, Payload: payload}
	if err := f.seal(b, w.seed); err != nil {
		return err
	}
	if err := w.meter.write(w.file, b); err != nil {
		return err
	}
	sync = sync || w.carried+len(payload) > maxUnsynced
	if sync {
		if err := w.meter.sync(w.file); err != nil {
			return err
		}
	}
	if sync || now.Sub(w.checked) >= checkEvery {
		if err := w.inPlace(); err != nil {
			return err
		}
	}
	w.size, w.head = f.end(), head
	w.records += lines
	if sync {
		w.settled()
	} else {
		w.carry, w.carried = append(w.carry, slices.Clip(payload)), w.carried+len(payload)
		w.frame = b[len(b):] // the next is written behind it
	}
	w.unsigned += lines
	if w.checkpoint != nil {
		w.unsigned = 0
	}
	return nil
}

// settled notes that everything written is durable.
func (w *writer) settled() {
	w.synced, w.durable, w.carry, w.carried = w.size, w.head, nil, 0
}

func writeAll(f File, b []byte) error {
	n, err := f.Write(b)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	return err
}

func join(lines [][]byte) []byte {
	n := 0
	for _, l := range lines {
		n += len(l)
	}
	b := make([]byte, 0, n)
	for _, l := range lines {
		b = append(b, l...)
	}
	return b
}

// apply tells the state and the observer of records that end at a head, before a
// checkpoint that followed them.
func (w *writer) apply(recs []rationale.Record, head rationale.Head) {
	seq := head.Seq - uint64(len(recs))
	if w.checkpoint != nil {
		seq--
	}
	for _, rec := range recs {
		seq++
		w.tell(rec, seq)
	}
	if w.checkpoint != nil {
		w.tell(w.checkpoint, head.Seq)
	}
}

func (w *writer) tell(rec rationale.Record, seq uint64) {
	at := Position{Journal: w.head.Journal, Segment: w.segment.Number, Seq: seq}
	if _, checkpoint := rec.(*rationale.Checkpoint); w.state != nil && !checkpoint {
		w.state.Apply(rec, at)
	}
	if w.observer != nil {
		w.observer(rec, at)
	}
}

// poison gives the segment up: what the disk holds of its end is not known.
func (w *writer) poison() {
	if w.file != nil {
		_ = w.file.Close() // nothing in it is waited for any more
	}
	w.file, w.torn = nil, true
}

// ready makes sure that there is a segment to write to.
func (w *writer) ready(now time.Time) error {
	switch {
	case w.lost != nil:
		return w.lost
	case w.failed != nil && now.Before(w.retryAt):
		return w.failed
	case w.file != nil && w.failed == nil && !w.due(now):
		return nil
	}
	return w.rotate()
}

// rotate goes on in a fresh segment.
func (w *writer) rotate() error {
	if w.file != nil && w.carried > 0 {
		if err := w.meter.sync(w.file); err == nil {
			w.settled()
		} else {
			w.poison()
		}
	}
	if err := w.begin(); err != nil {
		w.failed, w.retryAt = err, w.now().Add(retryAfter)
		return err
	}
	return nil
}

// retire goes on in a segment that says that older ones may be gone.
func (w *writer) retire(r *retirement) error {
	if err := w.ready(w.now()); err != nil {
		return err
	}
	notes, oldest := w.notes, w.oldest
	w.notes, w.oldest = append(w.notes, r.note), r.oldest
	err := w.rotate()
	if err != nil {
		w.notes, w.oldest = notes, oldest
	}
	return err
}

// due reports whether the segment has reached a limit.
func (w *writer) due(now time.Time) bool {
	return w.size >= w.rotation.Bytes ||
		w.rotation.Records > 0 && w.records >= w.rotation.Records ||
		now.Sub(w.header.Time) >= w.rotation.Age
}

// inPlace finds out whether readers will find what is written, and whether the
// folder is still this process's alone. A file that is gone or replaced, and a
// lock that is, end the journal.
func (w *writer) inPlace() error {
	w.checked = w.now()
	err := w.fs.InPlace(w.lock, filepath.Join(w.dir, lockName))
	if err != nil {
		if gone(err) {
			w.lost = fmt.Errorf("the journal's lock was removed: %w", err)
		}
		return err
	}
	err = w.fs.InPlace(w.file, w.segment.File)
	if err != nil && gone(err) {
		lost := fmt.Errorf("the journal's segment was removed, replaced or changed: %w", err)
		w.tellLoss(lost)
		w.lost = lost
	}
	return err
}

func gone(err error) bool { return errors.Is(err, ErrReplaced) || errors.Is(err, fs.ErrNotExist) }

// tellLoss tries to leave a segment behind that says what was lost, so that the
// gap before it stops the next opening.
func (w *writer) tellLoss(lost error) {
	now := w.now()
	damage := rationale.Damage{File: filepath.Base(w.segment.File), Problem: "the file was removed or replaced while it was written to", Missing: true}
	if changed, ok := errors.AsType[*changedError](lost); ok {
		damage.Problem, damage.Missing = changed.problem(), false
	}
	w.notes = append(w.notes, &rationale.Lifecycle{
		ID: rationale.NewID(now), At: now, Event: rationale.EventDamaged, Message: lost.Error(), Damage: []rationale.Damage{damage},
	})
	w.poison()
	if w.begin() == nil {
		_ = w.file.Close()
		w.file = nil
	}
}

// finish makes everything durable and closes the segment.
func (w *writer) finish() error {
	switch {
	case w.file == nil && w.lost == nil && len(w.carry) > 0:
		return w.failed // what Write took is not durable
	case w.file == nil:
		return w.lost
	}
	var err error
	if w.key != nil && w.unsigned > 0 && w.failed == nil {
		err = w.closingCheckpoint()
	} else if w.carried > 0 {
		err = w.meter.sync(w.file)
	}
	return errors.Join(err, w.file.Close())
}

func (w *writer) closingCheckpoint() error {
	w.room(lineOverhead)
	head, err := w.sign(rationale.ResumeChain(w.head))
	if err != nil {
		return err
	}
	return w.put(head, true, w.now())
}
