package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// sized returns a record whose line has about 1.5 KiB.
func sized() *rationale.Outcome {
	o := outcome("0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
	o.Error = strings.Repeat("x", 1200)
	return o
}

// BenchmarkPair appends a decision and its outcome, each durable before the
// next step, beside what the disk needs for two raw appends of that size. Ambit's
// goal: one goroutine within 1.6 of the floor, 64 goroutines ten times as many.
func BenchmarkPair(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		data := bytes.Repeat([]byte("x"), 1500)
		b.ReportAllocs()
		for b.Loop() {
			for range 2 {
				if _, err := f.Write(data); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	pair := func(b *testing.B, parallel int, durable bool) {
		j, err := journal.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		defer j.Close()
		appends := j.Append
		if !durable {
			appends = j.Write
		}
		rec := sized()
		b.ReportAllocs()
		b.SetParallelism(parallel)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				for range 2 {
					if err := appends(ctx, rec); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	procs := 2 // goroutines are SetParallelism × GOMAXPROCS
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("fsync/goroutines=%d", n), func(b *testing.B) {
			if n == 1 {
				single(b)
				return
			}
			pair(b, n/procs, true)
		})
	}
	b.Run("os/goroutines=64", func(b *testing.B) { pair(b, 64/procs, false) })
}

func single(b *testing.B) {
	j, err := journal.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	rec := sized()
	b.ReportAllocs()
	for b.Loop() {
		for range 2 {
			if err := j.Append(ctx, rec); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkOpen opens journals of different ages, each with a snapshot every
// 1,000 records.
func BenchmarkOpen(b *testing.B) {
	for _, records := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			dir := b.TempDir()
			rotation := journal.WithRotation(journal.Rotation{Records: 1000})
			j, err := journal.Open(dir, rotation, journal.WithState(&count{}))
			if err != nil {
				b.Fatal(err)
			}
			rec := outcome("x")
			for range records / 100 {
				batch := make([]rationale.Record, 100)
				for i := range batch {
					batch[i] = rec
				}
				if err := j.Append(ctx, batch...); err != nil {
					b.Fatal(err)
				}
			}
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				j, err := journal.Open(dir, rotation, journal.WithState(&count{}))
				if err != nil {
					b.Fatal(err)
				}
				if err := j.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// count is a State that only counts.
type count struct {
	tally
	n atomic.Int64
}

func (c *count) Apply(rationale.Record, journal.Position) { c.n.Add(1) }
