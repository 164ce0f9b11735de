package audit

import (
	"errors"
	"io"
	"os"
)

// table is the decisions of a run on disk, by id. It is read from beginning to
// end, and each time written anew where it changes.
type table struct {
	dir  string
	file *os.File
	n    int
}

// fill writes the rows of a new table.
func (t *table) fill(each func(f func(*decision) error) error) error {
	file, err := os.CreateTemp(t.dir, "decisions-")
	if err != nil {
		return err
	}
	t.drop()
	t.file = file
	w := newRowWriter(file)
	var row rowOut
	if err := each(func(d *decision) error {
		t.n++
		row.reset()
		d.encode(&row)
		return w.write(nil, row)
	}); err != nil {
		return err
	}
	return w.flush()
}

// each calls f with every decision, which is valid until it returns.
func (t *table) each(f func(*decision) error) error {
	var d decision
	return eachRow(t.file, func(row []byte) error {
		r := rowIn{rest: row}
		d.decode(&r)
		if err := r.err(); err != nil {
			return err
		}
		return f(&d)
	})
}

// eachRow calls f with the rows that were written to a file without keys.
func eachRow(file *os.File, f func(row []byte) error) error {
	in, err := readRows(file)
	if err != nil {
		return err
	}
	for {
		err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(in.row); err != nil {
			return err
		}
	}
}

// update calls f with every decision, and keeps what f makes of it.
func (t *table) update(f func(*decision) error) error {
	before := *t
	t.file, t.n = nil, 0
	defer before.drop()
	return t.fill(func(write func(*decision) error) error {
		return before.each(func(d *decision) error {
			if err := f(d); err != nil {
				return err
			}
			return write(d)
		})
	})
}

func (t *table) drop() {
	if t.file != nil {
		t.file.Close()
		os.Remove(t.file.Name())
	}
	t.file = nil
}
