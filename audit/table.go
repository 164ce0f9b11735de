package audit

import (
	"errors"
	"io"
	"os"
)

// table is the decisions of a run on disk, by id. It is read from beginning to
// end, and each time written anew where it changes.
type table struct {
	disk *disk
	file *os.File
}

// fill writes the rows of a new table.
func (t *table) fill(each func(f func(*decision) error) error) error {
	file, err := t.disk.create("decisions-")
	if err != nil {
		return err
	}
	t.drop()
	t.file = file
	w := newRowWriter(file)
	var row rowOut
	if err := each(func(d *decision) error {
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
		r := readRow(row)
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

// update calls f with every decision, and keeps what f makes of it where it
// says that it has changed it.
func (t *table) update(f func(*decision) (changed bool, err error)) error {
	file, err := t.disk.create("decisions-")
	if err != nil {
		return err
	}
	before := *t
	t.file = file
	defer before.drop()
	w := newRowWriter(file)
	var d decision
	var out rowOut
	if err := eachRow(before.file, func(row []byte) error {
		r := readRow(row)
		d.decode(&r)
		if err := r.err(); err != nil {
			return err
		}
		changed, err := f(&d)
		if err != nil || !changed {
			return errors.Join(err, w.write(nil, row))
		}
		out.reset()
		d.encode(&out)
		return w.write(nil, out)
	}); err != nil {
		return err
	}
	return w.flush()
}

func (t *table) drop() {
	if t.file != nil {
		t.file.Close()
		os.Remove(t.file.Name())
	}
	t.file = nil
}
