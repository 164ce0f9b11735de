package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/guard/ledger/control"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale/journal"
)

// order is what a host is told to do, on a line of its standard input.
type order struct {
	Do   string // call; call-and-hang: without an outcome; reload; stop
	Args string
	Tool string // default: orders.refund
	For  string // on whose behalf
	// Ticket is that of a call that is made again.
	Ticket string
}

// result is what a host has done, on a line of its standard output.
type result struct {
	Verdict, Decision, Told, Error string
}

// hostMain is a host of its own, in a process of its own: testhost POLICY DIR.
func hostMain() {
	if err := hostRun(os.Args[1], os.Args[2], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hostRun(policy, dir string, in io.Reader, out io.Writer) error {
	docs, err := authority.ReadDir(policy)
	if err != nil {
		return err
	}
	if url := os.Getenv("HOST_POSTGRES"); url != "" {
		pool, err := pgxpool.New(context.Background(), url)
		if err != nil {
			return err
		}
		defer pool.Close()
		l, err := pgledger.Open(context.Background(), pool, pgledger.WithSnapshotEvery(6))
		if err != nil {
			return err
		}
		return errors.Join(hostServe(docs, policy, l, nil, in, out), l.Close())
	}
	l, err := ledger.Open(dir)
	if err != nil {
		return err
	}
	subjects := guard.WithErasure(journal.OpenSubjects(filepath.Join(dir, journal.SubjectsFolder)), nil)
	return errors.Join(hostServe(docs, policy, l, subjects, in, out), l.Close())
}

func hostServe(docs []authority.Document, policy string, l guard.Ledger, subjects guard.Option, in io.Reader, out io.Writer) error {
	g, err := guard.New(docs, guard.Agent{ID: "support-bot", Environment: "prod"}, guard.WithLedger(l), guard.AllowUnsigned(), subjects)
	if err != nil {
		return err
	}
	for _, name := range []string{"orders.refund", "orders.close"} {
		err := g.Register(authority.Tool{Name: name, Schema: json.RawMessage(`{"type":"object","properties":{"amount":{"type":"number"},"note":{"type":"string"}}}`)})
		if err != nil {
			return err
		}
	}
	if files, ok := l.(*ledger.Memory); ok && os.Getenv("HOST_WITHOUT_SOCKET") == "" {
		s, err := control.Listen(files, g.LocalUser)
		if err != nil {
			return err
		}
		defer s.Close()
	}
	answers := json.NewEncoder(out)
	if err := answers.Encode(result{}); err != nil { // it listens
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		if o.Do == "stop" {
			return nil
		}
		if err := answers.Encode(o.carryOut(g, policy)); err != nil {
			return err
		}
	}
	return errors.New("nobody said stop")
}

func (o order) carryOut(g *guard.Guard, policy string) result {
	if o.Do == "reload" {
		docs, err := authority.ReadDir(policy)
		if err := errors.Join(err, g.Reload(docs)); err != nil {
			return result{Error: err.Error()}
		}
		return result{}
	}
	tool := o.Tool
	if tool == "" {
		tool = "orders.refund"
	}
	ctx := guard.WithSession(context.Background(), guard.Session{OnBehalfOf: o.For})
	ctx, d := g.Begin(ctx, guard.Call{Tool: classify.ToolID{Name: tool}, Arguments: []byte(o.Args), Ticket: o.Ticket})
	r := result{Verdict: d.Verdict().String(), Decision: d.Record().ID, Told: string(d.Refusal())}
	if d.Allowed() && o.Do != "call-and-hang" {
		if err := g.End(ctx, d, []byte("done"), nil); err != nil {
			r.Error = err.Error()
		}
	}
	return r
}

// hostProcess is a host's process, as a test sees it.
type hostProcess struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
	err *strings.Builder
}

// startHost starts a host, and returns once it listens.
func startHost(policy, dir string, env ...string) (*hostProcess, error) {
	h := &hostProcess{cmd: exec.Command("testhost", policy, dir), err: &strings.Builder{}}
	h.cmd.Env, h.cmd.Stderr = append(os.Environ(), env...), h.err
	var err error
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.out = bufio.NewScanner(out)
	h.out.Buffer(nil, 1<<20)
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := h.answer(); err != nil {
		return nil, err
	}
	return h, nil
}

func (h *hostProcess) do(o order) (result, error) {
	line, err := json.Marshal(o)
	if err != nil {
		return result{}, err
	}
	if _, err := h.in.Write(append(line, '\n')); err != nil {
		return result{}, err
	}
	return h.answer()
}

func (h *hostProcess) answer() (result, error) {
	var r result
	if !h.out.Scan() {
		return r, errors.Join(errors.New("the host ended: "+h.err.String()), h.cmd.Wait())
	}
	if err := json.Unmarshal(h.out.Bytes(), &r); err != nil {
		return r, err
	}
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	return r, nil
}

// kill ends the host as the kernel does, without a word.
func (h *hostProcess) kill() {
	_ = h.cmd.Process.Kill()
	_ = h.cmd.Wait()
}

func (h *hostProcess) stop() error {
	if _, err := h.in.Write([]byte(`{"Do":"stop"}` + "\n")); err != nil {
		return err
	}
	return h.cmd.Wait()
}

// hosted runs a host for a test, which must leave it stopped or killed.
func hosted(t *testing.T, policy, dir string, env ...string) *hostProcess {
	t.Helper()
	h, err := startHost(policy, dir, env...)
	require.NoError(t, err)
	t.Cleanup(func() {
		if h.cmd.ProcessState == nil {
			h.kill()
		}
	})
	return h
}

func (h *hostProcess) call(t *testing.T, o order) result {
	t.Helper()
	if o.Do == "" {
		o.Do = "call"
	}
	r, err := h.do(o)
	require.NoError(t, err)
	return r
}

// me is the OS user that runs the tests.
func me(t *testing.T) string {
	t.Helper()
	name, err := desk.Me()
	require.NoError(t, err)
	return name
}

// standing fills in who runs the tests, and the days around them.
func standing(text, me string) string {
	now := time.Now().UTC().Truncate(time.Second)
	return os.Expand(text, func(name string) string {
		switch name {
		case "ME":
			return me
		case "GRANTED":
			return now.Add(-24 * time.Hour).Format(time.RFC3339)
		case "EXPIRES":
			return now.Add(60 * 24 * time.Hour).Format(time.RFC3339)
		}
		return "$" + name
	})
}

// hostScript is the script command for hosts:
//
//	host start POLICY DIR [ENV…]
//	host call|call-and-hang NAME ARGS [FOR [TOOL]]  sets $NAME to the decision's id
//	host again NAME ARGS TICKET [FOR]               makes a call with its ticket
//	host reload|stop|kill
//
// What the call was told is in $VERDICT and $TOLD.
func hostScript(hosts *sync.Map) func(ts *testscript.TestScript, _ bool, args []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		arg := func(i int) string {
			if i < len(args) {
				return args[i]
			}
			return ""
		}
		var h *hostProcess
		if known, ok := hosts.Load(ts); ok {
			h = known.(*hostProcess)
		}
		switch args[0] {
		case "start":
			h, err := startHost(ts.MkAbs(args[1]), ts.MkAbs(args[2]), args[3:]...)
			ts.Check(err)
			hosts.Store(ts, h)
			ts.Defer(func() {
				if h.cmd.ProcessState == nil {
					h.kill()
				}
			})
			return
		case "reload":
			_, err := h.do(order{Do: "reload"})
			ts.Check(err)
			return
		case "stop":
			ts.Check(h.stop())
			return
		case "kill":
			h.kill()
			return
		}
		o := order{Do: args[0], Args: args[2], For: arg(3), Tool: arg(4)}
		if args[0] == "again" {
			o = order{Do: "call", Args: args[2], Ticket: args[3], For: arg(4)}
		}
		r, err := h.do(o)
		ts.Check(err)
		ts.Setenv(args[1], r.Decision)
		ts.Setenv("VERDICT", r.Verdict)
		ts.Setenv("TOLD", r.Told)
	}
}

// fill replaces $ME, $GRANTED and $EXPIRES in files: fill FILE….
func fill(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(standing(ts.ReadFile(name), ts.Getenv("ME"))), 0o600))
	}
}
