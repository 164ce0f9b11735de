package pgledger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/rationale"
)

// workerVariable makes a process of this test a replica, which does the work that it says.
const workerVariable = "AMBIT_PGLEDGER_WORKER"

// work is what another process does: it opens the ledger, says "ready", and waits for a line.
type work struct {
	URL    string
	InTurn bool // the first step is made in turn

	// Each of Goroutines admits Amount of a window of Limit until a call is denied for it.
	Goroutines    int
	Amount, Limit string

	// Instead, each presents Ticket, once, for the line that it reads.
	Ticket *rationale.Decision

	// Instead, it approves the ticket that it reads.
	Approve *rationale.Person

	// Instead, it admits one, which is late at once.
	One *rationale.Decision
}

// told is what a worker says, a line of JSON each.
type told struct {
	Ready    bool     `json:",omitempty"`
	Allowed  []string `json:",omitempty"` // decisions
	Error    string   `json:",omitempty"` // of an admission
	Finished bool     `json:",omitempty"`
}

func worker(text string) int {
	if err := labour(text); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 1
	}
	return 0
}

func labour(text string) error {
	var w work
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return err
	}
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, w.URL)
	if err != nil {
		return err
	}
	defer pool.Close()
	var opts []pgledger.Option
	if w.InTurn {
		opts = append(opts, pgledger.WithContention())
	}
	l, err := pgledger.Open(ctx, pool, opts...)
	if err != nil {
		return err
	}
	defer l.Close()
	var mu sync.Mutex
	say := func(what told) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(os.Stdout).Encode(what)
	}
	orders := bufio.NewScanner(os.Stdin)
	say(told{Ready: true})
	for orders.Scan() {
		switch {
		case w.One != nil:
			w.One.ID, w.One.At, w.One.Terms.Lease = orders.Text(), time.Now().UTC(), 1
			one(ctx, l, w.One, say)
		case w.Approve != nil:
			err := l.Answer(ctx, &rationale.Approval{Ticket: orders.Text(), By: *w.Approve, Answer: rationale.AnswerApprove, Why: "seen"})
			if err != nil {
				say(told{Error: err.Error()})
			}
		case w.Ticket != nil:
			w.Ticket.ID, w.Ticket.ActionDigest = orders.Text(), rationale.Digest([]byte(orders.Text()))
			w.present(ctx, l, say)
		default:
			w.hammer(ctx, l, say)
		}
		say(told{Finished: true})
	}
	return orders.Err()
}

func one(ctx context.Context, l *pgledger.Ledger, d *rationale.Decision, say func(told)) {
	switch err := l.Admit(ctx, d); {
	case err != nil:
		say(told{Error: err.Error()})
	case d.Verdict == rationale.Allow:
		say(told{Allowed: []string{d.ID}})
	}
}

// hammer takes of the window until it is exhausted. A call that failed for want of an answer is another call the
// next time, as in an agent.
func (w *work) hammer(ctx context.Context, l *pgledger.Ledger, say func(told)) {
	var all sync.WaitGroup
	for range w.Goroutines {
		all.Go(func() {
			for {
				d := spending(w.Amount)
				d.Limits[0].Max = w.Limit
				err := l.Admit(ctx, d)
				switch {
				case err == nil && d.Verdict == rationale.Allow:
					say(told{Allowed: []string{d.ID}})
				case err == nil:
					return
				default:
					say(told{Error: err.Error()})
				}
			}
		})
	}
	all.Wait()
}

// present presents a ticket from every goroutine at once.
func (w *work) present(ctx context.Context, l *pgledger.Ledger, say func(told)) {
	var all sync.WaitGroup
	for range w.Goroutines {
		d := guardtest.Pending()
		d.ActionDigest, d.Parent = w.Ticket.ActionDigest, w.Ticket.ID
		all.Go(func() { one(ctx, l, d, say) })
	}
	all.Wait()
}

// process is a worker that runs.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan told // closed when it ends
}

// begin starts a worker, and returns once it is ready.
func begin(t testing.TB, w work) *process {
	t.Helper()
	text, err := json.Marshal(w)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{cmd: exec.Command(self), lines: make(chan told, 1024)}
	p.cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	p.cmd.Stderr = os.Stderr
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.lines)
		lines := json.NewDecoder(out)
		for {
			var line told
			if lines.Decode(&line) != nil {
				return
			}
			p.lines <- line
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // unless it has ended
		for range p.lines {
		}
		_ = p.cmd.Wait()
	})
	require.True(t, (<-p.lines).Ready, "a worker did not start")
	return p
}

// order makes a worker begin with one piece of work.
func (p *process) order(t testing.TB, line string) {
	t.Helper()
	_, err := fmt.Fprintln(p.in, line)
	require.NoError(t, err)
}
