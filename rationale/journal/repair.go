package journal

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// Repaired is what [Repair] did.
type Repaired struct {
	Journal  string         // the journal that begins; empty: nothing was damaged, and nothing was changed
	Previous rationale.Head // the last record before the first damage
	Aside    []rationale.Damage
}

// Repair makes a journal that refuses to open usable again, without removing
// anything. Segments that are damaged get a name that ends in ".seg.damaged"; a
// journal with a new id begins behind them, whose first record, a lifecycle
// record of the event [rationale.EventRepaired], names them, their digests, and
// the last good record before the first of them.
//
// What can be read of the old journal stays evidence, readers keep reporting the
// damage, and the next opening takes in what of it is readable, so that no
// decision of it is forgotten that is still known. A torn end is no damage. The
// journal must not be open.
func Repair(dir string, opts ...Option) (_ Repaired, err error) {
	c := configure(opts)
	c.state, c.key = nil, nil
	if files, err := list(c.fs, dir); err != nil || len(files) == 0 { // where no journal is, a lock would be left behind
		return Repaired{}, fmt.Errorf("repair journal: %w", cmp.Or(err, noJournal(dir)))
	}
	lock, err := c.fs.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return Repaired{}, fmt.Errorf("repair journal: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	done, err := repair(c, dir, lock)
	if err != nil {
		return Repaired{}, fmt.Errorf("repair journal: %w", err)
	}
	return done, nil
}

func noJournal(dir string) error { return fmt.Errorf("%s holds no journal", dir) }

func repair(c config, dir string, lock File) (Repaired, error) {
	r := recovery{config: c, dir: dir}
	files, err := list(c.fs, dir)
	if err != nil {
		return Repaired{}, err
	}
	if files, err = r.dropUnused(files); err != nil {
		return Repaired{}, err
	}
	if len(files) == 0 {
		return Repaired{}, noJournal(dir)
	}
	x := examination{recovery: r, files: files, begin: lineage(files)}
	if err := x.all(); err != nil {
		return Repaired{}, err
	}
	if len(x.found) == 0 {
		return Repaired{}, nil
	}
	done := Repaired{Journal: rationale.NewID(c.now()), Previous: x.good}
	for _, d := range x.found {
		damage, err := setAside(c.fs, dir, d)
		if err != nil {
			return Repaired{}, err
		}
		done.Aside = append(done.Aside, damage)
	}
	if err := c.fs.SyncDir(dir); err != nil {
		return Repaired{}, err
	}
	now := c.now()
	w := writer{
		config: c, dir: dir, lock: lock, number: files[len(files)-1].number, oldest: x.oldest, fresh: true,
		head: rationale.Head{Journal: done.Journal}, durable: rationale.Head{Journal: done.Journal},
		notes: []rationale.Record{&rationale.Lifecycle{
			ID: rationale.NewID(now), At: now, Event: rationale.EventRepaired, Previous: &done.Previous, Damage: done.Aside,
			Message: "damaged segments were set aside; this journal follows journal " + done.Previous.Journal,
		}},
	}
	if err := w.begin(); err != nil {
		return Repaired{}, err
	}
	return done, w.file.Close()
}

// setAside renames a damaged segment and returns what the record says of it.
func setAside(fsys FS, dir string, d *DamageError) (rationale.Damage, error) {
	damage := rationale.Damage{
		File: filepath.Base(d.File), Offset: d.Offset, Bytes: d.Bytes, Problem: d.Problem, Missing: d.Missing,
	}
	if d.Missing {
		return damage, nil
	}
	data, err := readFile(fsys, d.File)
	if err != nil {
		return damage, err
	}
	damage.Digest = rationale.Digest(data)
	damage.Bytes = int64(len(data)) - d.Offset
	if strings.HasSuffix(d.File, asideExtension) {
		return damage, nil // by a repair that was not finished
	}
	damage.File = strings.TrimSuffix(damage.File, Extension) + asideExtension
	return damage, fsys.Rename(d.File, filepath.Join(dir, damage.File))
}

// examination looks at every segment of the current journal.
type examination struct {
	recovery
	files []segmentFile
	begin int
	found []*DamageError
	good  rationale.Head // before the first damage

	journal string
}

func (x *examination) all() error {
	last := x.files[len(x.files)-1]
	x.oldest = x.files[0].number
	if last.err == nil && !last.aside && last.header.Oldest < x.oldest {
		x.note(beginsLate(x.files[0], last.header.Oldest))
	}
	for i := x.begin; i < len(x.files); i++ {
		f := x.files[i]
		if i > x.begin && f.number != x.files[i-1].number+1 {
			x.note(f.follows(x.files[i-1]))
		}
		if err := f.usable(); err != nil {
			x.note(err)
			continue
		}
		if x.journal == "" {
			x.journal = f.header.Journal
		}
		if f.header.Journal != x.journal {
			x.note(&DamageError{File: f.path, Problem: "it belongs to journal " + f.header.Journal})
			continue
		}
		if err := x.one(i); err != nil {
			return err
		}
	}
	return nil
}

func (x *examination) note(err error) {
	d, ok := errors.AsType[*DamageError](err)
	if !ok {
		return
	}
	if slices.ContainsFunc(x.found, func(f *DamageError) bool { return f.File == d.File }) {
		return
	}
	if len(x.found) == 0 {
		if d.Good.Journal == "" {
			d.Good = x.head
		}
		x.good = d.Good
	}
	x.found = append(x.found, d)
}

// one verifies a segment whose header is good.
func (x *examination) one(i int) error {
	data, err := readFile(x.fs, x.files[i].path)
	if err != nil {
		return err
	}
	var next *header
	if i+1 < len(x.files) {
		after := x.files[i+1]
		if after.usable() == nil && after.number == x.files[i].number+1 && after.header.Journal == x.journal {
			next = &after.header
		}
	}
	s := scan(data, x.files[i].header)
	head, err := x.frames(x.files[i], s, next)
	if err != nil {
		x.note(err)
		return nil
	}
	x.head = head
	return nil
}
