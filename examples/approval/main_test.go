package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
)

// The test's binary is also the example, for tests that kill it.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_THE_EXAMPLE") != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// program is the example in a process of its own.
type program struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(t *testing.T, dir string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(os.Args[0], "-dir", dir)}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), "RUN_THE_EXAMPLE=1"), os.Stderr
	var err error
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewReader(out)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.kill()
		}
	})
	return p
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *program) say(t *testing.T, text string) {
	t.Helper()
	_, err := io.WriteString(p.in, text+"\n")
	require.NoError(t, err)
}

// until reads on to a line that holds a text, and returns it.
func (p *program) until(t *testing.T, text string) string {
	t.Helper()
	for {
		line, err := p.out.ReadString('\n')
		require.NoError(t, err, "waiting for %q", text)
		if strings.Contains(line, text) {
			return line
		}
	}
}

var ticketOf = regexp.MustCompile(`approve (\S+) (\S+)\n`)

// pends reads which ticket the program waits for, as a person would.
func (p *program) pends(t *testing.T) (evidence, ticket string) {
	t.Helper()
	found := ticketOf.FindStringSubmatch(p.until(t, "approvals approve"))
	require.NotNil(t, found)
	p.until(t, "approvals deny")
	return found[1], found[2]
}

func answer(t *testing.T, evidence, ticket string, answer rationale.Answer, why string) {
	t.Helper()
	d, err := desk.Dial(t.Context(), evidence)
	require.NoError(t, err)
	_, err = d.Answer(t.Context(), desk.Answer{Ticket: ticket, Answer: answer, Why: why})
	require.NoError(t, err)
}

func paid(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "payments.txt"))
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
		return nil
	}
	return strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
}

func TestConversation(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	p.say(t, "hello")
	p.until(t, "agent> I pay invoices")
	p.say(t, "pay INV-7 80")
	p.until(t, "agent> It is paid.")
	p.say(t, "pay INV-8 900")
	evidence, ticket := p.pends(t)
	assert.Len(t, paid(t, dir), 1)
	answer(t, evidence, ticket, rationale.AnswerApprove, "")
	p.until(t, "agent> It is paid.")
	p.say(t, "pay INV-8 900")
	evidence, ticket = p.pends(t)
	answer(t, evidence, ticket, rationale.AnswerDeny, "it was paid just now")
	p.until(t, "denied: it was paid just now. I leave the invoice open.")
	p.say(t, "pay 8 10")
	p.until(t, "an invoice has a number that begins with INV-")
	require.NoError(t, p.in.Close())
	require.NoError(t, p.cmd.Wait())
	assert.Len(t, paid(t, dir), 2)
}

// The program is killed while it waits, and people answer once it is back.
func TestKilledWhileItWaits(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	p.say(t, "pay INV-8 900")
	_, asked := p.pends(t)
	for range 2 {
		p.kill()
		p = start(t, dir)
		p.until(t, "Going on where the last process was.")
	}
	evidence, ticket := p.pends(t)
	assert.Equal(t, asked, ticket)
	checkpoints, err := os.ReadFile(filepath.Join(dir, "checkpoints", "conversation.checkpoint"))
	require.NoError(t, err)
	kept, err := os.ReadFile(filepath.Join(dir, "checkpoints", "waiting.json"))
	require.NoError(t, err)
	answer(t, evidence, ticket, rationale.AnswerApprove, "")
	p.until(t, "agent> It is paid.")
	p.kill()

	// A copy of the checkpoint, resumed again, pays nothing.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "checkpoints", "conversation.checkpoint"), checkpoints, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "checkpoints", "waiting.json"), kept, 0o600))
	p = start(t, dir)
	p.until(t, "agent> I may not pay it: ")
	p.kill()
	assert.Len(t, paid(t, dir), 1)
}

// People answer on the journal of the program that was killed: the next one goes on with
// what they said, and asks nobody.
func TestAnsweredWhileItIsDown(t *testing.T) {
	for said, want := range map[rationale.Answer]string{
		rationale.AnswerApprove: "agent> It is paid.",
		rationale.AnswerDeny:    "agent> I may not pay it: denied: it was paid by hand.",
	} {
		t.Run(string(said), func(t *testing.T) {
			dir := t.TempDir()
			p := start(t, dir)
			p.say(t, "pay INV-8 900")
			evidence, ticket := p.pends(t)
			p.kill()

			l, err := ledger.Open(evidence)
			require.NoError(t, err)
			require.NoError(t, l.Answer(t.Context(), &rationale.Approval{
				Ticket: ticket, By: rationale.Person{ID: "s.berg@bank.example", Groups: []string{"payables-leads"}}, Answer: said, Why: "it was paid by hand",
			}))
			require.NoError(t, l.Close())

			p = start(t, dir)
			p.until(t, "Going on where the last process was.")
			assert.Contains(t, p.until(t, "agent> "), want)
			p.kill()
			assert.Equal(t, said == rationale.AnswerApprove, len(paid(t, dir)) == 1)
		})
	}
}

func TestUsage(t *testing.T) {
	var out, problems bytes.Buffer
	assert.Equal(t, exitDone, run(t.Context(), []string{"-h"}, nil, &out, &problems))
	assert.Contains(t, out.String(), "go run ./examples/approval")
	assert.Equal(t, exitUsage, run(t.Context(), []string{"x"}, nil, &out, &problems))
	assert.Contains(t, problems.String(), `unexpected argument "x"`)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	assert.Equal(t, exitFailed, run(t.Context(), []string{"-dir", file}, nil, &out, &problems))
}
