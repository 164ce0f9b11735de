// Command simulate makes histories of a ledger, in which disks, networks, clocks,
// processes and people do what they do at the worst moment, and checks each with a
// model of its own: see internal/simulate.
//
//	go run ./benchmarks/simulate [-histories 10000] [-seed N]
//
// It prints what happened in them, and exits with 1 at a history that breaks a rule:
// it leaves out of it what it can, tells the rest, and says how to see it again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ambit-go/ambit/internal/simulate"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

type options struct {
	histories int
	seed      uint64
	history   int
	keep      []int
	workers   int
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.history >= 0 {
		p := simulate.NewPlan(o.seed, o.history)
		if o.keep != nil {
			p = p.Keep(o.keep)
		}
		story, err := simulate.Tell(p)
		fmt.Fprintln(stdout, story)
		return err
	}
	began := time.Now()
	sum, failed, err := simulate.Many(ctx, o.seed, o.histories, o.workers, newProgress(stderr, o.histories))
	if failed != nil {
		return tell(stdout, failed, err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d histories of seed %d in %.0f s: every rule held\n\n", sum.Histories, o.seed, time.Since(began).Seconds())
	return write(stdout, sum)
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.Usage = func() {
		flags.SetOutput(stderr)
		flags.PrintDefaults()
	}
	flags.IntVar(&o.histories, "histories", 10_000, "how many histories to make")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of what is drawn (default: another each time)")
	flags.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "how many histories to make at the same time")
	flags.IntVar(&o.history, "history", -1, "tell the one history of this `number`")
	keep := flags.String("keep", "", "of -history: leave out all steps but these, such as `3,7,8`")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || o.histories < 1 || o.workers < 1 || *keep != "" && o.history < 0 {
		return o, errors.New("want at least one history and one worker, -keep only with -history, and nothing behind the flags")
	}
	for text := range strings.SplitSeq(*keep, ",") {
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return o, fmt.Errorf("-keep wants numbers of steps and commas, such as 3,7,8: %q is none", text)
		}
		o.keep = append(o.keep, n)
	}
	return o, nil
}

// tell tells the shortest form of a history that broke a rule, and how to see it
// again.
func tell(w io.Writer, failed *simulate.Plan, broken error) error {
	short := simulate.Shrink(failed)
	story, err := simulate.Tell(short)
	if err == nil { // it does not break it each time
		short, err = failed, broken
	}
	steps := make([]string, len(short.Steps))
	for i, s := range short.Steps {
		steps[i] = strconv.Itoa(s.N)
	}
	fmt.Fprintf(w, "history %d of seed %d, on %s, with %d of its %d steps:\n\n%s\n\nsee it again:\n  go run ./benchmarks/simulate -seed %d -history %d -keep %s\n\n",
		failed.History, failed.Seed, failed.World.Home, len(short.Steps), len(failed.Steps), story, failed.Seed, failed.History, strings.Join(steps, ","))
	return err
}

// write prints the counts, one a line.
func write(w io.Writer, sum simulate.Counts) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range sum.Rows() {
		fmt.Fprintf(table, "%d\t %s\n", row.Number, row.What)
	}
	return table.Flush()
}

// newProgress says on a terminal how far it is; elsewhere nothing.
func newProgress(w io.Writer, total int) func(done int) {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return func(int) {}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(int) {}
	}
	return func(done int) {
		switch {
		case done == total:
			fmt.Fprint(w, "\r\x1b[K")
		case done%50 == 0:
			fmt.Fprintf(w, "\r\x1b[K%d of %d histories", done, total)
		}
	}
}
