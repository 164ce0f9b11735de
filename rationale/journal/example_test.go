package journal_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// A host archives what is closed, and then lets go of what it need not keep
// itself.
func ExampleOpenFolderArchive() {
	dir, err := os.MkdirTemp("", "evidence")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	j, err := journal.Open(dir+"/journal", journal.WithRotation(journal.Rotation{Records: 2}))
	if err != nil {
		panic(err)
	}
	defer j.Close()
	ctx := context.Background()
	for i := range 4 {
		if err := j.Append(ctx, &rationale.Outcome{ID: fmt.Sprint("outcome ", i)}); err != nil {
			panic(err)
		}
	}
	archive := journal.OpenFolderArchive(dir + "/archive")
	done, err := j.ArchiveClosed(ctx, archive, 7*365*24*time.Hour)
	if err != nil {
		panic(err)
	}
	objects, err := archive.List(ctx)
	fmt.Println(len(done.Copied) == len(j.Segments())-1, len(objects) == len(done.Copied), err)
	// Output: true true <nil>
}

// What is sealed for a person can be read until the person's key is destroyed.
func ExampleOpenSubjects() {
	dir, err := os.MkdirTemp("", "subjects")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	subjects := journal.OpenSubjects(dir)
	key, err := subjects.Key(ctx, "customer 4711") // as the guard does for each call
	if err != nil {
		panic(err)
	}
	d := &rationale.Decision{ID: "decision", Arguments: []byte(`{"iban":"SE35"}`)}
	if err := d.Seal(key); err != nil {
		panic(err)
	}
	show := func() {
		reader, err := subjects.Reader()
		if err != nil {
			panic(err)
		}
		rec, erased, err := reader.Open(d)
		fmt.Println(string(rec.(*rationale.Decision).Arguments), erased != nil, err)
	}
	show()
	_, err = subjects.Erase(ctx, "customer 4711", "dpo@bank.example", "request 7", func(context.Context, rationale.Erasure) error { return nil })
	if err != nil {
		panic(err)
	}
	show()
	// Output:
	// {"iban":"SE35"} false <nil>
	//  true <nil>
}
