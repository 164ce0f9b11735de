// Command compare measures ambit beside other policy engines, all in one
// process and in turns: see the README one folder up.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/pprof"
	"sync"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/benchmarks/internal/report"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	json, markdown, quick bool
	cases, impls          *regexp.Regexp
	profile               string
	timing                func() error // called before each group is timed; may be nil
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.Usage = func() {
		flags.SetOutput(stderr)
		flags.PrintDefaults()
	}
	flags.BoolVar(&o.json, "json", false, "print a JSON array instead of a table")
	flags.BoolVar(&o.markdown, "markdown", false, "print the table in Markdown")
	flags.BoolVar(&o.quick, "quick", false, "end within 45 seconds, with coarser numbers")
	expression := func(name, usage string, to **regexp.Regexp) {
		flags.Func(name, usage, func(s string) (err error) {
			*to, err = regexp.Compile(s)
			return err
		})
	}
	expression("case", "measure only cases whose name matches the `regexp`", &o.cases)
	expression("impl", "measure only implementations whose name matches the `regexp`", &o.impls)
	flags.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of what is measured to `file`")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.json && o.markdown:
		return o, errors.New("-json and -markdown exclude each other")
	}
	return o, nil
}

func run(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		// Of the first group to its end: what is prepared for one is not in it.
		o.timing = sync.OnceValue(func() error { return pprof.StartCPUProfile(file) })
		defer pprof.StopCPUProfile()
	}
	at := thorough
	if o.quick {
		at = quick
	}
	results, err := measureAll(o, at, newProgress(stderr))
	if err != nil {
		return err
	}
	return write(o, results, stdout)
}

func write(o options, results []measure.Result, stdout io.Writer) error {
	switch {
	case o.json:
		return report.JSON(stdout, results)
	case o.markdown:
		return report.Markdown(stdout, results)
	}
	colours := coloured(stdout)
	if err := report.Table(stdout, results, colours); err != nil {
		return err
	}
	if o.cases != nil || o.impls != nil {
		return nil // most claims need what was left out
	}
	if _, err := fmt.Fprintln(stdout); err != nil {
		return err
	}
	_, _, err := report.WriteClaims(stdout, report.Claims(results), 1, colours)
	return err
}
