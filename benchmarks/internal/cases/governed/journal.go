package governed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/benchmarks/internal/policy"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const (
	// crowd is how many goroutines make calls at the same time in
	// governed-sync-64, and perMember how many calls each makes in one turn at
	// least, so that most of a turn is neither its beginning nor its end.
	crowd, perMember = 64, 16
	// kept is how many bytes lie in a file before another is begun, so that a long
	// measurement needs no more room than a short one.
	kept = 8 << 20
)

// journalled returns the cases on a journal, and their floors: a bare file to which
// as many bytes are appended as the frames of such a call have, with and without
// an fsync after each of the two.
func journalled() (cases []measure.Case, closing func(), err error) {
	dir, err := os.MkdirTemp("", "ambit-compare-")
	if err != nil {
		return nil, nil, err
	}
	closing = func() { _ = os.RemoveAll(dir) }
	for _, name := range []string{"governed-sync", "governed-sync-64", "governed-os"} {
		made, closes, err := journalCase(dir, name)
		if err != nil {
			closing()
			return nil, nil, fmt.Errorf("case %s: %w", name, err)
		}
		cases = append(cases, made...)
		before := closing
		closing = func() { closes(); before() }
	}
	return cases, closing, nil
}

// journalCase makes one case, and the floor that belongs to it, if any.
func journalCase(dir, name string) ([]measure.Case, func(), error) {
	all, durable := calls(), true
	if name == "governed-os" {
		all, durable = reads(), false
	}
	d, err := openOnDisk(filepath.Join(dir, name), durable)
	if err != nil {
		return nil, nil, err
	}
	sizes, err := d.frames(all)
	if err != nil {
		d.close()
		return nil, nil, err
	}
	if name == "governed-sync-64" {
		return []measure.Case{{Name: name, Impls: []measure.Impl{d.crowded(all)}}}, d.close, nil
	}
	floor := &raw{name: filepath.Join(dir, name+".raw"), sizes: sizes, durable: durable}
	if err := floor.begin(); err != nil {
		d.close()
		return nil, nil, err
	}
	floorName := "write-floor"
	if durable {
		floorName = "fsync-floor"
	}
	return []measure.Case{
		{Name: name, Impls: []measure.Impl{d.counted(d.run(all))}},
		{Name: floorName, Impls: []measure.Impl{{Name: floorName, Run: floor.run, After: floor.complete}}},
	}, func() { d.close(); floor.close() }, nil
}

// reads are calls of the class that does not wait for the disk.
func reads() []guard.Call {
	all := make([]guard.Call, timed)
	for i := range all {
		all[i] = guard.Call{
			Tool: classify.ToolID{Name: "k8s.get_deployment"},
			Arguments: fmt.Appendf(nil, `{"workload":%q,"region":%q,"limit":%d}`,
				[]string{"payments-api", "payments-worker"}[i%2], []string{"eu-west-1", "eu-central-1"}[i/2%2], 3+i),
		}
	}
	return all
}

// onDisk is a guard whose ledger is on a journal.
type onDisk struct {
	disk    *disk
	ledger  *ledger.Memory
	guard   *guard.Guard
	durable bool
	records atomic.Int64
	calls   int64 // made since complete was asked
	failed  atomic.Pointer[error]
}

func openOnDisk(dir string, durable bool) (*onDisk, error) {
	d := &onDisk{disk: &disk{FS: journal.OS()}, durable: durable}
	var err error
	d.ledger, err = ledger.Open(dir, journal.WithFS(d.disk), journal.WithRotation(journal.Rotation{Bytes: kept}),
		journal.WithObserver(func(rec rationale.Record, _ journal.Position) {
			switch rec.(type) {
			case *rationale.Decision, *rationale.Outcome:
				d.records.Add(1)
			}
		}))
	if err != nil {
		return nil, err
	}
	document := policy.Autoscaler
	if !durable {
		document = policy.Reader
	}
	if d.guard, err = newGuard(document, guard.WithLedger(d.ledger)); err != nil {
		return nil, errors.Join(err, d.ledger.Close())
	}
	return d, nil
}

func (d *onDisk) close() { _ = d.ledger.Close() } // its folder is removed

// frames makes each call once and returns how many bytes were written for it: for
// its decision, and for its outcome.
func (d *onDisk) frames(all []guard.Call) ([][2]int, error) {
	sizes := make([][2]int, len(all))
	for i, call := range all {
		d.disk.sizes = d.disk.sizes[:0]
		if err := govern(context.Background(), d.guard, call); err != nil {
			return nil, err
		}
		if len(d.disk.sizes) != 2 {
			return nil, fmt.Errorf("a call made %d writes", len(d.disk.sizes))
		}
		sizes[i] = [2]int(d.disk.sizes)
	}
	d.disk.begin()
	d.records.Store(0)
	return sizes, nil
}

// run makes calls, and notes why one failed.
func (d *onDisk) run(all []guard.Call) func(int) int {
	return func(n int) int {
		allowed := 0
		for i := range n {
			if err := govern(context.Background(), d.guard, all[i%len(all)]); err != nil {
				d.failed.CompareAndSwap(nil, &err)
			} else {
				allowed++
			}
		}
		return allowed
	}
}

// counted wraps a run, and looks at its records after it, outside of its time.
func (d *onDisk) counted(run func(int) int) measure.Impl {
	return measure.Impl{
		Name: "ambit",
		Run: func(n int) int {
			d.calls += int64(n)
			return run(n)
		},
		After: d.complete,
	}
}

// crowded spreads calls over many goroutines.
func (d *onDisk) crowded(all []guard.Call) measure.Impl {
	run := d.run(all)
	impl := d.counted(func(n int) int {
		var allowed atomic.Int64
		var members sync.WaitGroup
		for i := range crowd {
			share := n / crowd
			if i < n%crowd {
				share++
			}
			members.Go(func() { allowed.Add(int64(run(share))) })
		}
		members.Wait()
		return int(allowed.Load())
	})
	impl.Least = crowd * perMember
	return impl
}

// complete reports whether every call left a decision and an outcome, and whether
// these were synced as the case says, and removes what is not needed any more.
func (d *onDisk) complete() error {
	want, got, syncs := 2*d.calls, d.records.Swap(0), d.disk.begin()
	d.calls = 0
	segments := d.ledger.Journal().Segments()
	switch failed := d.failed.Load(); {
	case failed != nil:
		return *failed
	case got != want:
		return fmt.Errorf("%d records of %d are in the journal", got, want)
	case d.durable && want > 0 && syncs < 2:
		return fmt.Errorf("%d records were synced %d times", got, syncs)
	case !d.durable && syncs > 2*int64(len(segments)): // when a segment ends, and the next begins
		return fmt.Errorf("%d records were synced %d times", got, syncs)
	}
	if len(segments) > 1 {
		_, err := d.ledger.Journal().Retire(context.Background(), journal.Retention{})
		d.disk.begin()
		return err
	}
	return nil
}
