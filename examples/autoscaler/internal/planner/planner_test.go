package planner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/examples/autoscaler/internal/planner"
	"github.com/ambit-go/ambit/examples/autoscaler/internal/tools"
	"github.com/ambit-go/ambit/rationale"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// call is what the planner asked for, and in which minute.
type call struct {
	minute int
	tool   string
	args   map[string]any
	text   string
}

func (c call) String() string { return fmt.Sprint(c.minute, c.tool, c.args) }

func (c call) reasons() map[string]any {
	r, _ := c.args[rationale.Parameter].(map[string]any)
	return r
}

// guard answers a call in the tool's place; with "" the tool runs.
type guard func(c call) string

func none(call) string { return "" }

// follow lets the planner keep a fleet through a trace, and returns its calls.
func follow(t *testing.T, f *fleet.Fleet, length time.Duration, answer guard) []call {
	t.Helper()
	tools, infos := offer(t, f)
	var calls []call
	var messages []*schema.Message
	for at := 2 * time.Minute; at <= length; at += 2 * time.Minute {
		f.Advance(start.Add(at))
		messages = append(messages, schema.UserMessage("go on"))
		for steps := 0; ; steps++ {
			require.Less(t, steps, 40, "the planner does not come to an end")
			reply, err := planner.New().Generate(t.Context(), messages, model.WithTools(infos))
			require.NoError(t, err)
			messages = append(messages, reply)
			if len(reply.ToolCalls) == 0 {
				break
			}
			asked := reply.ToolCalls[0]
			c := call{minute: int(at.Minutes()), tool: asked.Function.Name, text: reply.Content}
			require.NoError(t, json.Unmarshal([]byte(asked.Function.Arguments), &c.args))
			calls = append(calls, c)
			result := answer(c)
			if result == "" {
				result = invoke(t, tools[c.tool], c.args)
			}
			messages = append(messages, schema.ToolMessage(result, asked.ID))
		}
	}
	f.Advance(start.Add(length + 10*time.Minute))
	return calls
}

// offer returns the fleet's tools, and their definitions as a guard shows them.
func offer(t *testing.T, f *fleet.Fleet) (map[string]tool.InvokableTool, []*schema.ToolInfo) {
	t.Helper()
	list, err := tools.All(f)
	require.NoError(t, err)
	byName := map[string]tool.InvokableTool{}
	var infos []*schema.ToolInfo
	for _, one := range list {
		info, err := one.Info(context.Background())
		require.NoError(t, err)
		byName[info.Name] = one.(tool.InvokableTool)
		if s, err := info.ToJSONSchema(); err == nil && s.Properties.Len() > 0 {
			s.Properties.Set(rationale.Parameter, s)
			info.ParamsOneOf = schema.NewParamsOneOfByJSONSchema(s)
		}
		infos = append(infos, info)
	}
	return byName, infos
}

func invoke(t *testing.T, one tool.InvokableTool, args map[string]any) string {
	t.Helper()
	checked := map[string]any{}
	for name, value := range args {
		if name != rationale.Parameter {
			checked[name] = value
		}
	}
	text, err := json.Marshal(checked)
	require.NoError(t, err)
	result, err := one.InvokableRun(t.Context(), string(text))
	if err != nil {
		return fmt.Sprintf(`{"error":%q}`, err)
	}
	return result
}

// evening is a trace of another shape than the built-in one.
func evening() fleet.Trace {
	random := rand.New(rand.NewPCG(1, 2))
	var trace fleet.Trace
	for at := time.Duration(0); at < 40*time.Minute; {
		perMinute := 380 - math.Abs(at.Minutes()-12)*8
		at += time.Duration(random.ExpFloat64() / perMinute * float64(time.Minute))
		trace = append(trace, fleet.Request{At: at, Context: 200 + random.IntN(2400), Generated: 20 + random.IntN(400)})
	}
	return trace
}

func TestKeepsTheGoalOnDifferentTraces(t *testing.T) {
	sequences := map[string]bool{}
	for name, trace := range map[string]fleet.Trace{"morning": fleet.Builtin(), "evening": evening()} {
		t.Run(name, func(t *testing.T) {
			alone := fleet.New(trace, start)
			alone.Advance(start.Add(trace.Length() + 10*time.Minute))
			require.False(t, alone.Score().GoalMet(), "the goal is met without the planner: the trace shows nothing")

			f := fleet.New(trace, start)
			sequences[fmt.Sprint(follow(t, f, trace.Length(), none))] = true
			score := f.Score()
			assert.True(t, score.GoalMet(), "%+v", score)
			assert.GreaterOrEqual(t, score.Met*100, score.Minutes*95, "%+v", score)
		})
	}
	assert.Len(t, sequences, 2, "two traces, two sequences of calls")
}

func TestGivesBackWhatIsNotNeeded(t *testing.T) {
	f := fleet.New(evening(), start)
	calls := follow(t, f, 40*time.Minute, none)
	highest, last := 0.0, 0.0
	for _, c := range calls {
		if c.tool == "nodepool_resize" && c.args["region"] == "eu-west-1" {
			last = c.args["nodes"].(float64)
			highest = max(highest, last)
		}
	}
	assert.Less(t, last, highest)
}

func TestSuppliesMissingReasons(t *testing.T) {
	answered := 0
	calls := follow(t, fleet.New(fleet.Builtin(), start), 20*time.Minute, func(c call) string {
		if c.tool == "fleet_status" || c.reasons()["expected"] != nil {
			return ""
		}
		answered++
		return `{"ambit":"deny","reasons":["rationale_incomplete"],"rationale_missing":["expected","alternatives"]}`
	})
	require.Equal(t, 1, answered, "it learns at once")
	first, second := calls[1], calls[2]
	assert.Equal(t, []string{"purpose"}, keys(first.reasons()))
	assert.Equal(t, []string{"alternatives", "evidence", "expected", "fallback", "purpose", "uncertainty"}, keys(second.reasons()))
	assert.Equal(t, []any{"call-1"}, second.reasons()["evidence"], "the status that it read")
	assert.Contains(t, second.text, "Reasons are missing (expected, alternatives)")
	delete(first.args, rationale.Parameter)
	delete(second.args, rationale.Parameter)
	assert.Equal(t, first.args, second.args, "the same call again")
}

func keys(m map[string]any) []string {
	var out []string
	for _, field := range []string{"alternatives", "evidence", "expected", "fallback", "purpose", "uncertainty"} {
		if m[field] != nil {
			out = append(out, field)
		}
	}
	return out
}

// bounded refuses as the example's documents do.
func bounded(c call) string {
	switch {
	case c.tool == "nodepool_resize" && c.args["nodes"].(float64) > 8:
		return `{"ambit":"deny","reasons":["bound_violated"],"checks":[{"check":"bounds[1]","reason":"bound_violated","why":"at most 8 nodes in a pool"}]}`
	case c.tool == "dns_update_record":
		return `{"ambit":"deny","reasons":["unclassified"]}`
	case c.tool == "region_open" && c.args["region"] == "us-east-1":
		return `{"ambit":"deny","reasons":["not_allowed"],"checks":[{"check":"baseline scaling args.region","reason":"not_allowed","within":"one of eu-west-1, eu-central-1, eu-north-1"}]}`
	case c.tool == "region_open":
		return `{"ambit":"pend","reasons":["approval_required"],"expires":"2026-11-23T09:56:00Z"}`
	}
	return ""
}

func TestStaysWithinWhatRefusalsSay(t *testing.T) {
	calls := follow(t, fleet.New(fleet.Builtin(), start), 54*time.Minute, bounded)
	seen := map[string]int{}
	for _, c := range calls {
		seen[c.tool]++
		if nodes, ok := c.args["nodes"].(float64); ok && c.tool == "nodepool_resize" && nodes > 8 {
			seen["over"]++
		}
		if c.tool == "region_open" {
			seen[c.args["region"].(string)]++
		}
	}
	assert.Equal(t, 1, seen["over"], "a bound is learned once")
	assert.Equal(t, 1, seen["dns_update_record"], "a tool without a class is not tried again")
	assert.Equal(t, 1, seen["us-east-1"], "an allow-list is learned once")
	assert.Equal(t, 1, seen["eu-north-1"], "while people are asked, they are not asked again")
}

func TestStopsWhenItsAuthorityLapses(t *testing.T) {
	calls := follow(t, fleet.New(fleet.Builtin(), start), 10*time.Minute, func(c call) string {
		if c.tool == "fleet_status" {
			return ""
		}
		return `{"ambit":"deny","reasons":["review_lapsed"]}`
	})
	written := 0
	for _, c := range calls {
		if c.tool != "fleet_status" {
			written++
		}
	}
	assert.Equal(t, 1, written)
}

func TestLeavesAloneWhatItCannotSee(t *testing.T) {
	for name, answer := range map[string]string{
		"refused": `{"ambit":"deny","reasons":["suspended"]}`,
		"failed":  `{"error":"monitoring is down"}`,
		"garbage": `not JSON`,
	} {
		t.Run(name, func(t *testing.T) {
			calls := follow(t, fleet.New(fleet.Builtin(), start), 4*time.Minute, func(call) string { return answer })
			for _, c := range calls {
				assert.Equal(t, "fleet_status", c.tool)
			}
			assert.Len(t, calls, 2, "once a turn")
		})
	}
}

func TestDecidesFromTheMessagesAlone(t *testing.T) {
	_, infos := offer(t, fleet.New(nil, start))
	bound, err := planner.New().WithTools(infos)
	require.NoError(t, err)
	messages := []*schema.Message{schema.UserMessage("go on")}
	first, err := bound.Generate(t.Context(), messages)
	require.NoError(t, err)
	stream, err := bound.Stream(t.Context(), messages)
	require.NoError(t, err)
	second, err := stream.Recv()
	require.NoError(t, err)
	assert.Equal(t, first, second)

	silent, err := planner.New().Generate(t.Context(), messages)
	require.NoError(t, err)
	assert.Empty(t, silent.ToolCalls, "without tools, nothing can be called")
	assert.True(t, strings.HasSuffix(silent.Content, "."))
}
