package einoguard_test

import (
	"context"
	"testing"
	"time"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// desk is a guard, and the ledger at which people answer.
type desk struct {
	guard  *guard.Guard
	kept   *evidence
	ledger *ledger.Memory
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	kept := &evidence{}
	l := ledger.New(kept)
	g, _ := newGuard(t, guard.WithLedger(l))
	return &desk{g, kept, l}
}

func (d *desk) answer(t *testing.T, ticket string, answer rationale.Answer, why string) {
	t.Helper()
	require.NoError(t, d.ledger.Answer(t.Context(), &rationale.Approval{
		Ticket: ticket, At: now, By: rationale.Person{ID: "sam@example.com", Groups: []string{"leads"}}, Answer: answer, Why: why,
	}))
}

// flow is a graph of one node with tools, over checkpoints.
func flow(t *testing.T, d *desk, store compose.CheckPointStore, tools ...tool.BaseTool) compose.Runnable[*schema.Message, []*schema.Message] {
	t.Helper()
	return flowOf(t, d, store, compose.ToolsNodeConfig{Tools: tools})
}

func flowOf(t *testing.T, d *desk, store compose.CheckPointStore, conf compose.ToolsNodeConfig) compose.Runnable[*schema.Message, []*schema.Message] {
	t.Helper()
	node, err := compose.NewToolNode(t.Context(), ptr(configure(t, d.guard, conf)))
	require.NoError(t, err)
	g := compose.NewGraph[*schema.Message, []*schema.Message]()
	require.NoError(t, g.AddToolsNode("tools", node))
	require.NoError(t, g.AddEdge(compose.START, "tools"))
	require.NoError(t, g.AddEdge("tools", compose.END))
	r, err := g.Compile(t.Context(), compose.WithCheckPointStore(store))
	require.NoError(t, err)
	return r
}

func ptr[T any](v T) *T { return &v }

// pending starts a run that has to wait, and returns the interrupts of the guard.
func pending(t *testing.T, r compose.Runnable[*schema.Message, []*schema.Message], calls ...schema.ToolCall) []*compose.InterruptCtx {
	t.Helper()
	_, err := r.Invoke(einoguard.WithInterrupts(t.Context()), asks("I wipe it.", calls...), compose.WithCheckPointID("c"))
	info, ok := compose.ExtractInterruptInfo(err)
	require.True(t, ok, err)
	var found []*compose.InterruptCtx
	for _, c := range info.InterruptContexts {
		if _, ok := c.Info.(*einoguard.Pending); ok && c.IsRootCause {
			found = append(found, c)
		}
	}
	return found
}

func ticketOf(c *compose.InterruptCtx) string { return c.Info.(*einoguard.Pending).Ticket }

func resume(ctx context.Context, r compose.Runnable[*schema.Message, []*schema.Message]) ([]string, error) {
	out, err := r.Invoke(einoguard.WithInterrupts(ctx), nil, compose.WithCheckPointID("c"))
	return contents(out), err
}

// In every shape, a pend interrupts, and the run goes on with the approval, once,
// however often its checkpoint is resumed.
func TestApprovedCallRunsOnceOverCheckpoints(t *testing.T) {
	inside := newFake("wipe")
	for name, wipe := range shapes(inside) {
		t.Run(name, func(t *testing.T) {
			before := len(inside.runs())
			d := newDesk(t)
			r := flow(t, d, &checkpoints{}, wipe)
			waits := pending(t, r, call("1", "wipe", `{"n":1}`))
			require.Len(t, waits, 1)
			info := waits[0].Info.(*einoguard.Pending)
			assert.Equal(t, einoguard.Pending{Ticket: d.kept.only(t).ID, Tool: "wipe", Expires: now.Add(30 * time.Minute)}, *info)
			assert.Len(t, inside.runs(), before)

			d.answer(t, info.Ticket, rationale.AnswerApprove, "")
			said, err := resume(compose.Resume(t.Context(), waits[0].ID), r)
			require.NoError(t, err)
			assert.Equal(t, []string{"did wipe"}, said)
			assert.Len(t, inside.runs(), before+1)

			said, err = resume(compose.Resume(t.Context(), waits[0].ID), r)
			require.NoError(t, err)
			assertRefusal(t, said[0], "deny", rationale.ApprovalRequired, rationale.ApprovalInvalid)
			assert.Len(t, inside.runs(), before+1, "the same checkpoint again")
			require.Len(t, d.kept.decisions(), 3)
			assert.Equal(t, info.Ticket, d.kept.decisions()[1].Parent)
			require.Len(t, d.kept.outcomes(), 1)
		})
	}
}

// A host that cannot interrupt waits; one that can waits a little first.
func TestACallThatWaitsInANode(t *testing.T) {
	wiping := func(t *testing.T, answer func(d *desk, ticket string)) (*desk, compose.Runnable[*schema.Message, []*schema.Message]) {
		d := &desk{kept: &evidence{}}
		d.ledger = ledger.New(d.kept)
		d.guard, _ = newGuard(t, guard.WithLedger(d.ledger), guard.WithNotifications(func(n rationale.Notification) { answer(d, n.Decision) }))
		return d, flow(t, d, &checkpoints{}, plainInvoke{newFake("wipe")})
	}
	t.Run("until somebody approves", func(t *testing.T) {
		d, r := wiping(t, func(d *desk, ticket string) { d.answer(t, ticket, rationale.AnswerApprove, "") })
		out, err := r.Invoke(guard.WithWait(t.Context(), time.Hour), asks("I wipe it.", call("1", "wipe", `{"n":1}`)))
		require.NoError(t, err)
		assert.Equal(t, []string{"did wipe"}, contents(out))
		require.Len(t, d.kept.decisions(), 2)
		assert.Equal(t, d.kept.decisions()[0].ID, d.kept.decisions()[1].Parent)
	})
	t.Run("and is interrupted then", func(t *testing.T) {
		d, r := wiping(t, func(*desk, string) {})
		ctx := einoguard.WithInterrupts(guard.WithWait(t.Context(), time.Nanosecond))
		_, err := r.Invoke(ctx, asks("I wipe it.", call("1", "wipe", `{"n":1}`)), compose.WithCheckPointID("c"))
		_, interrupted := compose.ExtractInterruptInfo(err)
		assert.True(t, interrupted, "%v", err)
		assert.Len(t, d.kept.decisions(), 1)
	})
}

func TestWithoutInterruptsAPendIsAResult(t *testing.T) {
	d := newDesk(t)
	r := flow(t, d, &checkpoints{}, plainInvoke{newFake("wipe")})
	out, err := r.Invoke(t.Context(), asks("I wipe it.", call("1", "wipe", `{"n":1}`)), compose.WithCheckPointID("c"))
	require.NoError(t, err)
	assertRefusal(t, contents(out)[0], "pend", rationale.ApprovalRequired)
}

// Nothing that comes with a resumption approves: no answer, and data of whatever
// type, deny; a denial's reason reaches the model.
func TestResumptionApprovesNothing(t *testing.T) {
	type yes struct{ Approved bool }
	for name, c := range map[string]struct {
		resume func(ctx context.Context, id string) context.Context
		answer func(t *testing.T, d *desk, ticket string)
		says   string
	}{
		"no data": {resume: func(ctx context.Context, id string) context.Context { return compose.Resume(ctx, id) }, says: "it is not approved yet: 0 of 1"},
		"a yes": {resume: func(ctx context.Context, id string) context.Context {
			return compose.ResumeWithData(ctx, id, yes{true})
		}, says: "not approved yet"},
		"a pointer to a yes": {resume: func(ctx context.Context, id string) context.Context {
			return compose.ResumeWithData(ctx, id, &yes{true})
		}, says: "not approved yet"},
		"the information of the interrupt": {resume: func(ctx context.Context, id string) context.Context {
			return compose.ResumeWithData(ctx, id, &einoguard.Pending{})
		}, says: "not approved yet"},
		"a denial": {
			resume: func(ctx context.Context, id string) context.Context {
				return compose.ResumeWithData(ctx, id, "approved")
			},
			answer: func(t *testing.T, d *desk, ticket string) { d.answer(t, ticket, rationale.AnswerDeny, "not today") }, says: "denied: not today",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, inside := newDesk(t), newFake("wipe")
			r := flow(t, d, &checkpoints{}, plainInvoke{inside})
			waits := pending(t, r, call("1", "wipe", `{"n":1}`))
			if c.answer != nil {
				c.answer(t, d, ticketOf(waits[0]))
			}
			said, err := resume(c.resume(t.Context(), waits[0].ID), r)
			require.NoError(t, err)
			assertRefusal(t, said[0], "deny", rationale.ApprovalRequired, rationale.ApprovalInvalid)
			assert.Contains(t, said[0], c.says)
			assert.Empty(t, inside.runs())
		})
	}
}

// What a checkpoint has in the place of the guard's state, of another type, denies:
// also where it names a ticket that is approved.
func TestAStateOfAnotherTypeDenies(t *testing.T) {
	for name, state := range map[string]func(ticket string) any{
		"a text":            func(ticket string) any { return ticket },
		"another structure": func(ticket string) any { return &einoguard.Pending{Ticket: ticket} },
	} {
		t.Run(name, func(t *testing.T) {
			d, inside := newDesk(t), newFake("wipe")
			asked := asks("I wipe it.", call("1", "wipe", `{"n":1}`))
			_, err := flow(t, d, &checkpoints{}, plainInvoke{inside}).Invoke(t.Context(), asked)
			require.NoError(t, err)
			ticket := d.kept.only(t).ID
			d.answer(t, ticket, rationale.AnswerApprove, "")

			r := flowOf(t, d, &checkpoints{}, compose.ToolsNodeConfig{
				Tools: []tool.BaseTool{plainInvoke{inside}}, ToolCallMiddlewares: []compose.ToolMiddleware{{Invokable: interruptsWith(state(ticket))}},
			})
			_, err = r.Invoke(einoguard.WithInterrupts(t.Context()), asked, compose.WithCheckPointID("c"))
			info, ok := compose.ExtractInterruptInfo(err)
			require.True(t, ok, err)
			said, err := resume(compose.Resume(t.Context(), info.InterruptContexts[0].ID), r)
			require.NoError(t, err)
			assertRefusal(t, said[0], "deny", rationale.ApprovalRequired, rationale.ApprovalInvalid)
			assert.Empty(t, inside.runs())
			assert.Len(t, d.ledger.Tickets(now), 1, "the approval is not used")
		})
	}
}

// interruptsWith interrupts one call, once, at the guard's own address.
func interruptsWith(state any) compose.InvokableToolMiddleware {
	interrupted := false
	return func(next compose.InvokableToolEndpoint) compose.InvokableToolEndpoint {
		return func(ctx context.Context, in *compose.ToolInput) (*compose.ToolOutput, error) {
			if interrupted {
				return next(ctx, in)
			}
			interrupted = true
			return nil, compose.StatefulInterrupt(compose.AppendAddressSegment(ctx, "guard", "approval"), "really?", state)
		}
	}
}

// Of parallel calls one pends: the others run once, in the first run, and an
// interrupt that is not named waits on with its ticket.
func TestParallelCallsOfWhichSomePend(t *testing.T) {
	d, wipe, scale := newDesk(t), newFake("wipe"), newFake("scale")
	r := flow(t, d, &checkpoints{}, plainInvoke{wipe}, plainStream{scale})
	waits := pending(t, r, call("1", "scale", `{"n":3}`), call("2", "wipe", `{"n":1}`), call("3", "wipe", `{"n":2}`))
	require.Len(t, waits, 2)
	assert.Equal(t, []string{`{"n":3}`}, scale.runs())
	d.answer(t, ticketOf(waits[0]), rationale.AnswerApprove, "")
	_, err := resume(compose.Resume(t.Context(), waits[0].ID), r)
	info, ok := compose.ExtractInterruptInfo(err)
	require.True(t, ok, err)
	assert.Len(t, wipe.runs(), 1)
	assert.Len(t, d.kept.decisions(), 4, "the one that waits on is not evaluated again")
	var last *compose.InterruptCtx
	for _, c := range info.InterruptContexts {
		if c.IsRootCause {
			last = c
		}
	}
	require.Equal(t, ticketOf(waits[1]), ticketOf(last))
	d.answer(t, ticketOf(last), rationale.AnswerApprove, "")
	said, err := resume(compose.Resume(t.Context(), last.ID), r)
	require.NoError(t, err)
	assert.Equal(t, []string{"did scale", "did wipe", "did wipe"}, said)
	assert.Len(t, wipe.runs(), 2)
	assert.Len(t, scale.runs(), 1)
}

// Call ids can be empty or repeated: no call then runs with the approval of
// another, and none twice.
func TestCallIDsAreNoKey(t *testing.T) {
	for _, id := range []string{"", "same"} {
		t.Run("id "+id, func(t *testing.T) {
			d, wipe := newDesk(t), newFake("wipe")
			r := flow(t, d, &checkpoints{}, plainInvoke{wipe})
			waits := pending(t, r, call(id, "wipe", `{"n":1}`), call(id, "wipe", `{"n":2}`))
			require.NotEmpty(t, waits)
			ids := make([]string, len(waits))
			for i, w := range waits {
				ids[i] = w.ID
			}
			require.Len(t, d.kept.decisions(), 2)
			first := d.kept.decisions()[0] // one is approved, the other not
			d.answer(t, first.ID, rationale.AnswerApprove, "")
			_, _ = resume(compose.Resume(t.Context(), ids...), r)
			_, _ = resume(compose.Resume(t.Context(), ids...), r)
			for _, ran := range wipe.runs() {
				assert.JSONEq(t, string(first.Arguments), ran, "only what was approved")
			}
			assert.LessOrEqual(t, len(wipe.runs()), 1)
		})
	}
}

// The process ends between the pend and the approval: checkpoint and ticket are
// all that the next one needs.
func TestApprovalAfterARestart(t *testing.T) {
	fs, store, inside := crashfs.New(), &checkpoints{}, newFake("wipe")
	open := func() *desk {
		l, err := ledger.Open("/evidence", journal.WithFS(fs), journal.WithClock(func() time.Time { return now }))
		require.NoError(t, err)
		g, _ := newGuard(t, guard.WithLedger(l))
		return &desk{guard: g, ledger: l}
	}
	first := open()
	waits := pending(t, flow(t, first, store, plainInvoke{inside}), call("1", "wipe", `{"n":1}`))
	require.NoError(t, first.ledger.Close())

	second := open()
	second.answer(t, ticketOf(waits[0]), rationale.AnswerApprove, "")
	require.NoError(t, second.ledger.Close())
	third := open()
	r := flow(t, third, store, plainInvoke{inside})
	said, err := resume(compose.Resume(t.Context(), waits[0].ID), r)
	require.NoError(t, err)
	assert.Equal(t, []string{"did wipe"}, said)
	require.NoError(t, third.ledger.Close())

	fourth := open()
	t.Cleanup(func() { _ = fourth.ledger.Close() })
	said, err = resume(compose.Resume(t.Context(), waits[0].ID), flow(t, fourth, store, plainInvoke{inside}))
	require.NoError(t, err)
	assertRefusal(t, said[0], "deny", rationale.ApprovalRequired, rationale.ApprovalInvalid)
	assert.Len(t, inside.runs(), 1)
}

// A tool that asks a person itself gets its own answer at its own address, and
// runs no more often than it was approved.
func TestAToolWithAConfirmationOfItsOwn(t *testing.T) {
	d, inside := newDesk(t), interrupting("wipe")
	r := flow(t, d, &checkpoints{}, plainInvoke{inside})
	waits := pending(t, r, call("1", "wipe", `{"n":1}`))
	require.Len(t, waits, 1)
	d.answer(t, ticketOf(waits[0]), rationale.AnswerApprove, "")
	_, err := resume(compose.Resume(t.Context(), waits[0].ID), r)
	info, ok := compose.ExtractInterruptInfo(err)
	require.True(t, ok, err)
	assert.Equal(t, "really?", info.InterruptContexts[0].Info)
	assert.Len(t, inside.runs(), 1)

	_, err = resume(compose.ResumeWithData(t.Context(), info.InterruptContexts[0].ID, "go on"), r)
	info, ok = compose.ExtractInterruptInfo(err)
	require.True(t, ok, "its approval is used: %v", err)
	assert.IsType(t, &einoguard.Pending{}, info.InterruptContexts[0].Info)
	assert.Len(t, inside.runs(), 1)
}

// What an agent inside a tool waits for interrupts the agent outside, and what the
// model said is in both decisions.
func TestNestedAgentsWaitForPeople(t *testing.T) {
	both(t, func(t *testing.T, streaming bool) {
		d, inside := newDesk(t), newFake("wipe")
		inner := agent(t, d.guard, says(asks("I wipe.", call("1", "wipe", `{"n":1}`)), schema.AssistantMessage("wiped", nil)), adk.ChatModelAgentConfig{}, plainInvoke{inside})
		look := adk.NewAgentTool(t.Context(), named{inner, "agent_inner"})
		outer := agent(t, d.guard, says(asks("I delegate.", call("1", "agent_inner", `{"request":"wipe"}`)), schema.AssistantMessage("done", nil)), adk.ChatModelAgentConfig{}, look)
		r := runner(t, outer, streaming)
		ctx := einoguard.WithInterrupts(t.Context())
		_, id, err := drive(t, r.Query(ctx, "go", adk.WithCheckPointID("c")))
		require.NoError(t, err)
		require.NotEmpty(t, id)
		waiting := d.ledger.Tickets(now)
		require.Len(t, waiting, 1)
		d.answer(t, waiting[0].Decision.ID, rationale.AnswerApprove, "")

		it, err := r.ResumeWithParams(ctx, "c", &adk.ResumeParams{Targets: map[string]any{id: nil}})
		require.NoError(t, err)
		said, _, err := drive(t, it)
		require.NoError(t, err)
		assert.Equal(t, "done", said)
		assert.Len(t, inside.runs(), 1)
		for _, decision := range d.kept.decisions() {
			if decision.Tool.Name == "wipe" {
				require.NotNil(t, decision.Rationale)
				assert.Equal(t, "I wipe.", decision.Rationale.Text)
			}
		}
	})
}

// named is an agent under another name.
type named struct {
	adk.ResumableAgent
	name string
}

func (n named) Name(context.Context) string { return n.name }
