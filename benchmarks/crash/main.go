// Command crash kills guards at work and looks at what they leave behind.
//
//	go run ./benchmarks/crash [-cycles 200] [-goroutines 16] [-dir DIR] [-seed N]
//
// In each cycle a real process opens the same evidence folder and lets many
// goroutines make guarded calls, whose tool appends to a file of its own. At a
// random moment it is killed with SIGKILL, also while it opens. Then the journal must
// open, hold every decision and outcome that was acknowledged, hold a decision for
// every tool that ran, and have exactly one outcome for each allowed decision: those that the
// killed process owed are unknown. SIGKILL does not test fsync, since the kernel
// lives on: for that, the process counts, and reports a tool that starts before a
// completed fsync of the segment behind its decision.
//
// It prints what it counted, and exits with 1 on any violation.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	var (
		o     options
		child = flag.Bool("child", false, "be the process that is killed")
	)
	flag.IntVar(&o.cycles, "cycles", 200, "how many processes are killed")
	flag.IntVar(&o.goroutines, "goroutines", 16, "how many calls each makes at the same time")
	flag.StringVar(&o.dir, "dir", "", "a `FOLDER` to work in, which is kept (default: a temporary one)")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of the random moments")
	flag.DurationVar(&o.longest, "longest", 400*time.Millisecond, "how long a process lives at most")
	flag.Parse()
	var err error
	if *child {
		err = work(o)
	} else {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

type options struct {
	cycles     int
	goroutines int
	dir        string
	seed       uint64
	longest    time.Duration
}

func (o options) evidence() string   { return filepath.Join(o.dir, "evidence") }
func (o options) executed() string   { return filepath.Join(o.dir, "executed") }
func (o options) answered() string   { return filepath.Join(o.dir, "answered") }
func (o options) violations() string { return filepath.Join(o.dir, "violations") }

func run(o options) error {
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "ambit-crash-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dir = dir
	}
	fmt.Printf("%d cycles, %d goroutines, seed %d, in %s\n", o.cycles, o.goroutines, o.seed, o.dir)
	random := rand.New(rand.NewPCG(o.seed, 1))
	check := newChecker(o)
	began := time.Now()
	for i := range o.cycles {
		if err := kill(o, time.Duration(random.Int64N(int64(o.longest)))); err != nil {
			return err
		}
		if err := check.cycle(); err != nil {
			return fmt.Errorf("cycle %d: %w", i+1, err)
		}
	}
	if err := check.whole(); err != nil {
		return err
	}
	check.print(time.Since(began))
	if len(check.violations) > 0 {
		for _, v := range check.violations[:min(20, len(check.violations))] {
			fmt.Fprintln(os.Stderr, "violation:", v)
		}
		return fmt.Errorf("%d violations", len(check.violations))
	}
	return nil
}

// kill starts a process and kills it after a while.
func kill(o options, after time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-child", "-dir", o.dir, "-goroutines", fmt.Sprint(o.goroutines))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return nil // by the signal
	}
	return fmt.Errorf("the process ended by itself: %v\n%s", err, stderr.String())
}

// lines reads a file from an offset on, and returns its whole lines and where
// they end.
func lines(name string, from int64) ([]string, int64, error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, from, nil
	}
	if err != nil {
		return nil, from, err
	}
	defer f.Close()
	if _, err := f.Seek(from, 0); err != nil {
		return nil, from, err
	}
	var found []string
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return found, from, nil // the end, or a line that was cut short
		}
		from += int64(len(line))
		found = append(found, strings.TrimSuffix(line, "\n"))
	}
}
