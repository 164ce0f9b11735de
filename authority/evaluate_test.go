package authority_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/internal/corpus"
	"github.com/ambit-go/ambit/rationale"
)

// loaded is a suite of the corpus with its Set, and the values that its calls
// have.
type loaded struct {
	corpus.Suite
	set    *authority.Set
	values []json.RawMessage
}

func loadCorpus(t *testing.T) []loaded {
	t.Helper()
	suites, err := corpus.Load(corpusDir)
	require.NoError(t, err)
	all := make([]loaded, len(suites))
	for i, suite := range suites {
		all[i] = loaded{Suite: suite, set: setWith(t, suite)}
		for _, text := range []string{`0`, `-3`, `61`, `2.50`, `1e2`, `""`, `"20.00"`, `null`, `true`, `[]`, `{}`, `[{"amount":"5.10"},{"amount":-1}]`} {
			all[i].values = append(all[i].values, json.RawMessage(text))
		}
		for _, c := range suite.Cases {
			raw, err := c.Call.RawArguments()
			require.NoError(t, err)
			var members map[string]json.RawMessage
			if json.Unmarshal(raw, &members) == nil {
				for _, name := range slices.Sorted(maps.Keys(members)) {
					all[i].values = append(all[i].values, members[name])
				}
			}
		}
	}
	return all
}

// vary changes a call and what its host supplies.
func (l loaded) vary(t *rapid.T, call *authority.Call, in *authority.Input) {
	switch rapid.IntRange(0, 11).Draw(t, "change") {
	case 0, 1, 2, 3:
		call.Arguments = l.varyArguments(t, call.Arguments)
	case 4:
		call.At = call.At.Add(time.Duration(rapid.IntRange(-400, 400).Draw(t, "days")) * 24 * time.Hour)
	case 5:
		if names := slices.Sorted(maps.Keys(in.Facts)); len(names) > 0 {
			name := rapid.SampledFrom(names).Draw(t, "fact")
			in.Facts = maps.Clone(in.Facts)
			in.Facts[name] = varyFact(t, in.Facts[name])
		}
	case 6:
		call.Model.Version += rapid.SampledFrom([]string{"x", "\xff"}).Draw(t, "version")
	case 7:
		call.Prompt += "x"
	case 8:
		call.Agent.OnBehalfOf = rapid.SampledFrom([]string{"somebody", "\xff"}).Draw(t, "on behalf of")
	case 9:
		other, _ := prepare(t, l.Suite, rapid.SampledFrom(l.Cases).Draw(t, "other"))
		call.Tool, call.Agent = other.Tool, other.Agent
	case 10:
		in.Estimate = &authority.Estimate{
			Amount:   rapid.SampledFrom([]string{"1", "15.5", "100000", "-1", "x"}).Draw(t, "estimate"),
			Currency: rapid.SampledFrom([]string{"EUR", "USD"}).Draw(t, "currency"),
		}
	case 11:
		in.Rationale = &rationale.Rationale{
			Purpose: "p", Evidence: rapid.SliceOfN(rapid.SampledFrom([]string{"call-1", "none", "https://a.example"}), 0, 2).Draw(t, "evidence"),
		}
		if rapid.Bool().Draw(t, "panic") {
			in.Read = func(string) bool { panic("no sessions") }
		}
	}
}

func (l loaded) varyArguments(t *rapid.T, raw []byte) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || len(members) == 0 {
		return raw
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(members))).Draw(t, "member")
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		delete(members, name)
	case 1:
		members[name+"x"] = json.RawMessage("1")
	default:
		members[name] = rapid.SampledFrom(l.values).Draw(t, "value")
	}
	changed, err := json.Marshal(members)
	require.NoError(t, err)
	return changed
}

func varyFact(t *rapid.T, f authority.FactValue) authority.FactValue {
	switch rapid.IntRange(0, 3).Draw(t, "fault") {
	case 0:
		return authority.FactValue{Err: errors.New("the source is down")}
	case 1:
		f.At = f.At.Add(-24 * time.Hour)
	case 2:
		f.Value = struct{}{}
	case 3:
		f.Value = int64(rapid.IntRange(-5, 5000).Draw(t, "number"))
	}
	return f
}

// Who asks for the verdict alone gets the one that would be recorded.
func TestEvaluateSaysWhatAssessRecords(t *testing.T) {
	all := loadCorpus(t)
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom(all).Draw(t, "suite")
		call, in := prepare(t, l.Suite, rapid.SampledFrom(l.Cases).Draw(t, "case"))
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			l.vary(t, &call, &in)
		}
		d := l.set.Assess(l.set.Classify(call), in)
		if !sameVerdict(t, l.set.Evaluate(call, in), d) {
			t.FailNow()
		}
	})
}

func TestEvaluateSaysWhatAssessRecordsOfPanics(t *testing.T) {
	set, call, in := typical(t)
	same := func(call authority.Call, in authority.Input, reason rationale.Reason) {
		t.Helper()
		d := set.Assess(set.Classify(call), in)
		sameVerdict(t, set.Evaluate(call, in), d)
		assert.Equal(t, rationale.Deny, d.Verdict)
		assert.Contains(t, d.Reasons, reason)
	}
	in.Rationale = &rationale.Rationale{Evidence: []string{"call-1"}}
	in.Read = func(string) bool { panic("no sessions") }
	same(call, in, rationale.EvaluationError)

	set, err := authority.Load([]authority.Document{grantDoc("one", "EXPR", "derived.d == 1")}, authority.Manifest{
		Tools: []authority.Tool{actTool}, Derived: []authority.DerivedSpec{{Tool: "act", Name: "d", Type: "int"}},
	}, authority.AllowUnsigned())
	require.NoError(t, err)
	call.Tool, call.Arguments = actTool.ID(), []byte(`{}`)
	call.Derive = func(string, json.RawMessage) (any, error) { panic("no parser") }
	same(call, authority.Input{}, rationale.EvaluationError)

	set = nil
	same(call, in, rationale.NoAuthorization)
}

func TestEvaluateAllocates(t *testing.T) {
	set, call, in := typical(t)
	allocs := func(run func()) float64 { return testing.AllocsPerRun(200, run) - raceAllocs }
	allowed := allocs(func() {
		if set.Evaluate(call, in).Verdict != rationale.Allow {
			t.Error("not allowed")
		}
	})
	assert.LessOrEqual(t, allowed, 0.0)

	for name, arguments := range map[string]string{
		"a bound":       strings.Replace(typicalArguments, "14", "61", 1),
		"an allow-list": strings.Replace(typicalArguments, "eu-west-1", "us-east-1", 1),
		"another class": strings.Replace(typicalArguments, "Deployment", "DaemonSet", 1),
		"no price":      strings.Replace(typicalArguments, "m7g.large", "m7g.metal", 1),
		"unpriced":      strings.Replace(typicalArguments, `"type": "m7g.large", `, "", 1),
	} {
		call.Arguments = []byte(arguments)
		denied := allocs(func() {
			if set.Evaluate(call, in).Verdict != rationale.Deny {
				t.Error("not denied", name)
			}
		})
		assert.LessOrEqual(t, denied, 2.0, name) // the reasons, and an error
	}
}

func TestAssessAllocates(t *testing.T) {
	set, call, in := typical(t)
	d := set.Assess(set.Classify(call), in)
	require.Equal(t, rationale.Allow, d.Verdict)
	require.Len(t, d.Checks, 9)
	assert.LessOrEqual(t, testing.AllocsPerRun(200, func() { set.Assess(set.Classify(call), in) })-raceAllocs, 14.0)
}

// A call that is much larger than most must not make all later ones hold its
// memory, and its own arguments are read all the same.
func TestEvaluateLargeArguments(t *testing.T) {
	set, call, in := typical(t)
	large := strings.Replace(typicalArguments, "evening peak", strings.Repeat("evening peak ", 20_000), 1)
	for _, arguments := range []string{large, typicalArguments, large + strings.Repeat(" ", 2<<20)} {
		call.Arguments = []byte(arguments)
		sameVerdict(t, set.Evaluate(call, in), set.Assess(set.Classify(call), in))
	}
	assert.Equal(t, rationale.Deny, set.Evaluate(call, in).Verdict, "too long")
}

// Many goroutines evaluate while the documents change: each call is decided by
// one Set, and none sees the memory of another.
func TestEvaluationsWhileDocumentsChange(t *testing.T) {
	var holder atomic.Pointer[authority.Set]
	limits := []string{"3", "5"}
	docs := func(limit string) []authority.Document {
		return []authority.Document{grantDoc("one", "EXPR", "args.n <= "+limit)}
	}
	holder.Store(load(t, docs(limits[0])...))
	var wg sync.WaitGroup
	var reloads atomic.Int64
	done := make(chan struct{})
	for worker := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				n := (worker + i) % 8
				call := authority.Call{
					At: noon, Agent: rationale.Agent{ID: "bot", Environment: "prod"}, Tool: actTool.ID(),
					Arguments: []byte(`{"n":` + string(rune('0'+n)) + `}`),
				}
				set := holder.Load()
				verdict := set.Evaluate(call, authority.Input{}).Verdict
				d := set.Assess(set.Classify(call), authority.Input{})
				if d.Verdict != verdict || string(d.Arguments) != string(call.Arguments) || string(d.Checks[1].Inputs[0].Value) != string(rune('0'+n)) {
					t.Errorf("%s: %s and %s, recorded as %s", call.Arguments, verdict, d.Verdict, d.Arguments)
				}
				if want := n <= 3; n <= 3 || n > 5 { // 4 and 5 depend on the documents
					if (verdict == rationale.Allow) != want {
						t.Errorf("%s: %s", call.Arguments, verdict)
					}
				}
			}
		})
	}
	for i := range 30 {
		next, err := holder.Load().Reload(docs(limits[i%2]))
		require.NoError(t, err)
		holder.Store(next)
		reloads.Add(1)
	}
	close(done)
	wg.Wait()
}
