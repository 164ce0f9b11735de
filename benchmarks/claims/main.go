// Command claims reads what compare printed with -json, from its input or from
// a file, and says which of the project's claims the numbers support. It exits
// with 1 when one does not hold, when one was not measured, and when the input
// is not what compare writes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/ambit-go/ambit/benchmarks/internal/report"
)

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "claims:", err)
		os.Exit(1)
	}
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("claims", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.Usage = func() {
		flags.SetOutput(stderr)
		flags.PrintDefaults()
	}
	slack := flags.Float64("slack", 1, "let what is timed miss its limit by this `factor`, for a machine that does other things too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *slack < 1 || flags.NArg() > 1 {
		return errors.New("want a slack of at least 1 and at most one file")
	}
	if flags.NArg() == 1 {
		file, err := os.Open(flags.Arg(0))
		if err != nil {
			return err
		}
		defer file.Close()
		stdin = file
	}
	results, err := report.Read(stdin)
	if err != nil {
		return fmt.Errorf("the input is not what compare writes: %w", err)
	}
	broken, missing, err := report.WriteClaims(stdout, report.Claims(results), *slack, false)
	if err != nil {
		return err
	}
	if broken+missing > 0 {
		return fmt.Errorf("%d claims do not hold, %d were not measured", broken, missing)
	}
	return nil
}
