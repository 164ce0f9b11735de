// Command opening shows that a journal opens as fast when it is old as when it
// is young.
//
//	go run ./benchmarks/opening [-decisions 100000,1000000] [-every 100000] [-dir DIR]
//
// For each age it makes that many guarded calls, in a folder of their own, with a
// snapshot of the ledger's state every so many decisions, and stops a hundredth of
// them before the next one is due: nearly all that came since the last has to be read
// then, which is the most that there ever is. It prints how long the ledger takes to
// open, and to open again, when there is a fresh snapshot: of some openings the
// quickest, so that it shows the work and not who else used the disk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/benchmarks/internal/policy"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale/journal"
)

func main() {
	var (
		ages  = flag.String("decisions", "100000,1000000", "the ages, in decisions")
		every = flag.Int("every", 100_000, "how many decisions lie between two snapshots")
		dir   = flag.String("dir", "", "a `FOLDER` to work in (default: a temporary one)")
	)
	flag.Parse()
	if err := run(*ages, *every, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "opening:", err)
		os.Exit(1)
	}
}

func run(ages string, every int, dir string) (err error) {
	if every < 1000 { // a hundredth of it must be more than the journal's own records
		return errors.New("-every must be at least 1000")
	}
	dir, err = os.MkdirTemp(dir, "ambit-opening-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%10s  %9s  %8s  %8s  %8s\n", "decisions", "megabytes", "segments", "opens in", "again in")
	for age := range strings.SplitSeq(ages, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(age))
		if err != nil || n < every {
			return fmt.Errorf("-decisions: %q is no number of at least %d", age, every)
		}
		if err := measure(filepath.Join(dir, strconv.Itoa(n)), n, every); err != nil {
			return err
		}
	}
	return nil
}

// measure makes a journal of one age and opens it twice.
func measure(dir string, decisions, every int) error {
	decisions -= every / 100
	if err := grow(dir, decisions, every); err != nil {
		return err
	}
	files, err := segments(dir)
	if err != nil {
		return err
	}
	bytes, err := size(files)
	if err != nil {
		return err
	}
	first, err := quickest(dir, every)
	if err != nil {
		return err
	}
	if _, err := open(dir, every); err != nil {
		return err
	}
	again, err := quickest(dir, every)
	if err != nil {
		return err
	}
	fmt.Printf("%10d  %9d  %8d  %8s  %8s\n", decisions, bytes>>20, len(files), first.Round(time.Millisecond), again.Round(time.Millisecond))
	return os.RemoveAll(dir)
}

// quickest opens a journal several times, each time as it is now: the segment that
// an opening begins is removed again.
func quickest(dir string, every int) (time.Duration, error) {
	const times = 3
	least := time.Duration(math.MaxInt64)
	for range times {
		before, err := segments(dir)
		if err != nil {
			return 0, err
		}
		took, err := open(dir, every)
		if err != nil {
			return 0, err
		}
		least = min(least, took)
		after, err := segments(dir)
		if err != nil {
			return 0, err
		}
		for _, begun := range after[len(before):] {
			if err := os.Remove(begun); err != nil {
				return 0, err
			}
		}
	}
	return least, nil
}

// segments returns the files of a journal, the oldest first.
func segments(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(dir, "*"+journal.Extension))
}

// rotation begins a segment, with a snapshot, after so many decisions and their
// outcomes, and for no other reason.
func rotation(every int) journal.Option {
	return journal.WithRotation(journal.Rotation{Records: 2 * every, Bytes: 1 << 40, Age: 1000 * time.Hour})
}

func open(dir string, every int) (time.Duration, error) {
	runtime.GC()
	began := time.Now()
	l, err := ledger.Open(dir, rotation(every))
	if err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, l.Close()
}

func size(files []string) (bytes int64, err error) {
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return 0, err
		}
		bytes += info.Size()
	}
	return bytes, nil
}

// grow makes calls until the journal has that many decisions.
func grow(dir string, decisions, every int) error {
	l, err := ledger.Open(dir, rotation(every))
	if err != nil {
		return err
	}
	from, until := time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour)
	g, err := guard.New([]authority.Document{policy.Reader(from, until)},
		guard.Agent{ID: "payments-autoscaler", Environment: "prod"}, guard.WithLedger(l), guard.AllowUnsigned())
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := g.Register(policy.GetDeployment()); err != nil {
		return errors.Join(err, l.Close())
	}
	var made atomic.Int64
	var refused atomic.Pointer[error]
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for made.Add(1) <= int64(decisions) {
				if err := call(g); err != nil {
					refused.CompareAndSwap(nil, &err)
					return
				}
			}
		})
	}
	group.Wait()
	if failed := refused.Load(); failed != nil {
		return errors.Join(*failed, l.Close())
	}
	return l.Close()
}

// call is a read, recorded without waiting for the disk: how the records came
// there makes no difference to who reads them.
func call(g *guard.Guard) error {
	ctx, d := g.Begin(context.Background(), guard.Call{
		Tool:      classify.ToolID{Name: "k8s.get_deployment"},
		Arguments: []byte(`{"workload":"payments-api","region":"eu-west-1","limit":10}`),
	})
	if !d.Allowed() {
		return fmt.Errorf("a call was refused: %s", d.Refusal())
	}
	return g.End(ctx, d, []byte(`{"replicas":12,"ready":10}`), nil)
}
