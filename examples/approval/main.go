// Command approval is a conversation with an agent that pays invoices. It pays small
// ones by itself. For a large one it has to wait until a person approves, from a
// second terminal: the program prints the command. It may be killed meanwhile, and
// goes on where it was when it is started again.
//
// From the root of the repository:
//
//	go run ./examples/approval
//
// To read it: host.go puts the guard around an eino agent, and opens the socket that
// people come through; conversation.go interrupts, waits and resumes; store.go keeps
// checkpoints on disk; model.go is the script that stands in for a model.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `usage: go run ./examples/approval [-dir DIR]

Talk to an agent that pays invoices: "pay INV-7 80" is paid at once, "pay INV-8 900"
waits until you approve it in a second terminal, with the command that is printed.
Kill the program meanwhile, start it again, and it goes on. End it with ctrl-d.

  -dir DIR   where everything is kept (default: ambit-approval in the folder for temporary files)
`

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(ctx context.Context, args []string, in io.Reader, out, problems io.Writer) int {
	flags := flag.NewFlagSet("approval", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dir := flags.String("dir", filepath.Join(os.TempDir(), "ambit-approval"), "")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, usage)
		return exitDone
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q: see -h", flags.Arg(0))
	}
	if err == nil {
		*dir, err = filepath.Abs(*dir)
	}
	if err != nil {
		fmt.Fprintf(problems, "approval: %v\n", err)
		return exitUsage
	}
	if err := work(ctx, *dir, in, out); err != nil {
		fmt.Fprintf(problems, "approval: %v\n", err)
		return exitFailed
	}
	return exitDone
}

func work(ctx context.Context, dir string, in io.Reader, out io.Writer) (err error) {
	h, err := openHost(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	c := conversation{host: h, in: in, out: out}
	return c.run(ctx)
}
