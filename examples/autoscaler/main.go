// Command autoscaler lets an agent keep a simulated fleet within its latency
// goal, and shows what bounds it: every tool call is classified, checked
// against the authorization documents in policy/, and recorded.
//
// From the root of the repository:
//
//	go run ./examples/autoscaler
//
// To read it: agent.go puts the guard around an eino agent's tools, shift.go
// lets the agent work for an hour of simulated time, oncall.go answers what it may
// not do alone, screen.go prints what was recorded. trail.go leaves the cloud's own log for
// ambit audit, and behind.go what it has to find. The fleet, its tools and the planner that
// stands in for a model are under internal/.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // the run broke off, or its spans could not be delivered
	exitUsage  = 2 // a flag or the trace is wrong
)

const usage = `usage: go run ./examples/autoscaler [flags]

An agent keeps a simulated fleet within its latency goal while it follows a
load trace. Every tool call is checked against the documents in policy/ and
recorded.

  -trace FILE     the load to follow: CSV with the columns
                  TIMESTAMP,ContextTokens,GeneratedTokens (default: built in)
  -evidence DIR   where records and spans go: a folder without those of an earlier
                  run (default: a new temporary folder)
  -behind-the-back
                  let somebody act with the agent's credentials and without the
                  guard, and cut a record: what ambit audit is there to find

With OPENAI_API_KEY and OPENAI_MODEL (and OPENAI_BASE_URL, for another
provider) set, that model takes the place of the built-in planner. With
OTEL_EXPORTER_OTLP_ENDPOINT set, spans go there and not to a file. NO_COLOR
turns colour off.

Exit codes: 0 the run is complete, 1 it broke off or its spans could not be
delivered, 2 a flag or the trace is wrong.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// options is what the command line and the environment say.
type options struct {
	trace     fleet.Trace
	traceName string
	evidence  string
	behind    bool
	openAI    openAI
	otlp      bool
	color     bool
}

// manifest is the file that says what the host runs. It lies apart from the
// records, so that nobody takes their folder for one of documents.
func (o options) manifest() string { return filepath.Join(o.evidence, "host", "manifest.yaml") }

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	opts, err := parse(args, getenv, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return exitDone
	case err != nil:
		fmt.Fprintf(stderr, "autoscaler: %v\n", err)
		return exitUsage
	}
	if err := work(ctx, opts, fleet.New(opts.trace, morning), stdout); err != nil {
		fmt.Fprintf(stderr, "autoscaler: %v\n", err)
		return exitFailed
	}
	return exitDone
}

func parse(args []string, getenv func(string) string, stdout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("autoscaler", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.traceName, "trace", "", "")
	flags.StringVar(&o.evidence, "evidence", "", "")
	flags.BoolVar(&o.behind, "behind-the-back", false, "")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: see -h", flags.Arg(0))
	}
	o.openAI = openAI{key: getenv("OPENAI_API_KEY"), model: getenv("OPENAI_MODEL"), baseURL: getenv("OPENAI_BASE_URL")}
	if err := o.openAI.validate(); err != nil {
		return o, err
	}
	o.otlp = getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
	o.color = getenv("NO_COLOR") == "" && terminal(stdout)
	if o.traceName == "" {
		o.trace, o.traceName = fleet.Builtin(), "built in"
		return o, nil
	}
	var err error
	o.trace, err = fleet.ReadFile(o.traceName)
	return o, err
}

// terminal reports whether w is a terminal, or another character device.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// work runs the whole scenario on f, prints it, and leaves what an audit needs.
func work(ctx context.Context, o options, f *fleet.Fleet, stdout io.Writer) (err error) {
	if o.evidence == "" {
		if o.evidence, err = os.MkdirTemp("", "ambit-autoscaler-"); err != nil {
			return err
		}
	}
	var behind *intruder
	if o.behind {
		behind = &intruder{fleet: f}
	}
	if err := story(ctx, o, f, behind, newScreen(stdout, o.color)); err != nil {
		return err
	}
	trail, err := leaveTrail(o, f)
	if err != nil {
		return err
	}
	return behind.tamper(o.evidence, trail)
}

// story is the agent's morning, and one turn of a later one.
func story(ctx context.Context, o options, f *fleet.Fleet, behind *intruder, out *screen) (err error) {
	e, err := openEvidence(ctx, o, f, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	a, err := newAgent(ctx, o.openAI, f, e)
	if err != nil {
		return err
	}
	err = errors.Join(os.MkdirAll(filepath.Dir(o.manifest()), 0o700), os.WriteFile(o.manifest(), a.manifest, 0o600))
	if err != nil {
		return err
	}
	out.head(o, a.model)
	s := &shift{agent: a, evidence: e, fleet: f, screen: out, behind: behind}
	score, err := s.run(ctx, o.trace.Length())
	if err != nil {
		return err
	}
	return out.summary(score, s.budgets, o, e)
}
