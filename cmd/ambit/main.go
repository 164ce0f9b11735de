// Command ambit checks authorization documents, evaluates calls against them
// without side effects, lets people answer what a guard asks them, reads, verifies,
// exports, archives, erases and repairs the records that a guard left, and audits them
// and the cloud's event logs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // documents that fail, a call that is denied, something provisionally unauthorized, damaged records, an answer that does not count, what -fail-on names
	exitUsage  = 2 // a command line or a file that cannot be used
	exitPend   = 3 // check: the call needs a human's approval
)

const usage = `ambit keeps an AI agent's tool calls within the authority that people granted it.

Usage: ambit COMMAND [flags] ARGUMENTS

Commands:
  vet        validate a folder of authorization documents, and warn of what is probably not meant
  check      evaluate one call against a folder of documents, without side effects
  inventory  what may each agent decide, who said so, until when, and what is not authorized
  records    list and explain the decisions, outcomes and other records of an evidence folder
  approvals  list the calls that wait for people, approve and deny them
  reviews    list the actions that owe a review, and answer
  budget     what is spent, reserved, held and left of each limit
  settle     list the calls whose outcome is not known, and say what became of one
  suspend    stop an agent, an authorization, a class or everything, at once
  resume     end such a suspension
  verify     check that the records of evidence folders are whole and unchanged
  audit      say what no record explains of the cloud's event logs, or (-q, -all) ask an auditor's questions of the records
  archive    copy closed segments of an evidence folder to an archive, and retire what is not needed
  export     write the records of evidence folders to a database
  erase      destroy the key of a person's data in evidence folders, and record that
  migrate    make or update the tables of a shared ledger in PostgreSQL
  repair     set damaged segments of an evidence folder aside, so that a guard can use it again
  version    which version this is, and of what it was built

Exit codes: 0 success; 1 documents that fail, a call that is denied, something that is
provisionally unauthorized, records that are damaged, an answer that does not count; 2 a
command line or a file that cannot be used; 3 a call that needs a human's approval.

Run 'ambit COMMAND -h' for the flags of a command.
`

// terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	color    bool
}

type command func(t *terminal, args []string) int

func commands() map[string]command {
	return map[string]command{
		"vet": vet, "check": check, "inventory": inventory, "records": records, "verify": verify, "export": export, "archive": archive,
		"erase": erase, "migrate": migrate, "repair": repair,
		"approvals": approvals, "reviews": reviews, "budget": budget, "settle": settle, "suspend": suspend, "resume": resume, "audit": auditLogs, "version": version,
	}
}

func main() {
	os.Exit(run(&terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, color: colored(os.Stdout)}, os.Args[1:]))
}

func run(t *terminal, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(t.err, usage)
		return exitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		fmt.Fprint(t.out, usage)
		return exitOK
	case "-version", "--version":
		args = append([]string{"version"}, args[1:]...)
	}
	c, ok := commands()[args[0]]
	if !ok {
		fmt.Fprintf(t.err, "ambit: there is no command %q: run 'ambit help' for those that there are\n", args[0])
		return exitUsage
	}
	return c(t, args[1:])
}

// colored reports whether f is a terminal that wants colour (no-color.org).
func colored(f *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// flags is a command's flag set, whose errors and help say what to do next.
type flags struct {
	*flag.FlagSet
	t    *terminal
	help string
}

func newFlags(t *terminal, name, help string) flags {
	f := flag.NewFlagSet("ambit "+name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {} // package flag calls it for a wrong flag too, and what is piped on is no place for help
	return flags{f, t, help}
}

func (f flags) printHelp() {
	fmt.Fprint(f.t.out, strings.TrimLeft(f.help, "\n"))
	some := false
	f.VisitAll(func(*flag.Flag) { some = true })
	if some {
		fmt.Fprintln(f.t.out, "\nFlags:")
		f.SetOutput(f.t.out)
		f.PrintDefaults()
		f.SetOutput(io.Discard)
	}
}

// parse reads flags that may stand before and after the arguments. A negative
// code means to go on.
func (f flags) parse(args []string, want string, least, most int) (rest []string, code int) {
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				f.printHelp()
				return nil, exitOK
			}
			return nil, f.misuse(err.Error())
		}
		args = f.Args()
		if len(args) == 0 {
			break
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	if len(rest) < least || (most >= 0 && len(rest) > most) {
		return nil, f.misuse("want " + want)
	}
	return rest, -1
}

func (f flags) misuse(problem string) int {
	fmt.Fprintf(f.t.err, "%s: %s\nRun '%s -h' for its arguments and flags.\n", f.Name(), problem, f.Name())
	return exitUsage
}

func (f flags) output(allowed ...string) *string {
	return f.String("o", allowed[0], "output: "+strings.Join(allowed, ", "))
}

func oneOf(value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("-o %s: want %s", value, strings.Join(allowed, ", "))
}
