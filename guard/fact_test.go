package guard_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/rationale"
)

const readsLimit = `, bounds: [{expr: "args.replicas <= facts.limit"}]`

// limit is a fact that counts its fetches and answers that number times ten.
func limit(fetches *atomic.Int64, opts ...guard.FactOption) guard.Option {
	return guard.WithFacts(guard.NewFact("limit", func(context.Context, guard.Checked) (int64, error) {
		return fetches.Add(1) * 10, nil
	}, opts...))
}

func TestFactTypes(t *testing.T) {
	now := time.Now()
	s := under(t, "", guard.WithFacts(
		fact("b", true), fact("i", int64(1)), fact("f", 1.5), fact("s", "x"), fact("t", now), fact("d", time.Second),
		fact("lb", []bool{true}), fact("li", []int64{1}), fact("lf", []float64{1}), fact("ls", []string{"x"}),
		fact("lt", []time.Time{now}), fact("ld", []time.Duration{1}),
		fact("mb", map[string]bool{"a": true}), fact("mi", map[string]int64{"a": 1}), fact("mf", map[string]float64{"a": 1}),
		fact("ms", map[string]string{"a": "x"}), fact("mt", map[string]time.Time{"a": now}), fact("md", map[string]time.Duration{"a": 1}),
	))
	types := make(map[string]string)
	for _, f := range s.Manifest().Facts {
		types[f.Name] = f.Type
	}
	assert.Equal(t, map[string]string{
		"b": "bool", "i": "int", "f": "double", "s": "string", "t": "timestamp", "d": "duration",
		"lb": "list<bool>", "li": "list<int>", "lf": "list<double>", "ls": "list<string>", "lt": "list<timestamp>", "ld": "list<duration>",
		"mb": "map<bool>", "mi": "map<int>", "mf": "map<double>", "ms": "map<string>", "mt": "map<timestamp>", "md": "map<duration>",
	}, types)
}

func fact[T guard.Value](name string, value T) guard.Fact {
	return guard.NewFact(name, func(context.Context, guard.Checked) (T, error) { return value, nil })
}

func TestFactsOfEveryTypeReachTheRules(t *testing.T) {
	for name, c := range map[string]struct {
		fact guard.Fact
		rule string
	}{
		"bool":      {fact("v", true), "facts.v"},
		"int":       {fact("v", int64(3)), "facts.v == 3"},
		"double":    {fact("v", 1.5), "facts.v == 1.5"},
		"string":    {fact("v", "x"), "facts.v == 'x'"},
		"timestamp": {fact("v", guardtest.Now()), "facts.v <= call.time"},
		"duration":  {fact("v", time.Minute), "facts.v == duration('60s')"},
		"list":      {fact("v", []string{"a", "b"}), "'b' in facts.v"},
		"map":       {fact("v", map[string]int64{"a": 1}), "facts.v['a'] == 1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := under(t, fmt.Sprintf(`, bounds: [{expr: "%s"}]`, c.rule), guard.WithFacts(c.fact)).decide(t, "1")
			assert.True(t, d.Allowed(), "%s", d.Refusal())
		})
	}
}

func TestOnlyFactsThatTheClassReadsAreFetched(t *testing.T) {
	var fetches atomic.Int64
	s := under(t, "", limit(&fetches))
	require.True(t, s.decide(t, "1").Allowed())
	assert.Zero(t, fetches.Load())
}

func TestFactWithoutMaxAgeIsFetchedForEachCall(t *testing.T) {
	var fetches atomic.Int64
	s := under(t, readsLimit, limit(&fetches))
	for range 3 {
		require.True(t, s.decide(t, "1").Allowed())
	}
	assert.EqualValues(t, 3, fetches.Load())
}

func TestFactIsKeptForItsMaxAge(t *testing.T) {
	var fetches atomic.Int64
	s := under(t, readsLimit, limit(&fetches, guard.MaxAge(time.Minute), guard.Source("the API")))
	require.True(t, s.decide(t, "1").Allowed())
	s.clock.Advance(time.Minute)
	d := s.decide(t, "10")
	require.True(t, d.Allowed())
	assert.EqualValues(t, 1, fetches.Load())
	got := d.Record().Facts[0]
	assert.Equal(t, guardtest.Now(), got.At, "the time of the fetch, not of the call")
	assert.Equal(t, "the API", got.Source)

	s.clock.Advance(time.Nanosecond)
	assert.True(t, s.decide(t, "20").Allowed(), "fetched again")
	assert.EqualValues(t, 2, fetches.Load())
}

func TestFactIsKeptByItsArguments(t *testing.T) {
	var fetches atomic.Int64
	s := under(t, readsLimit, limit(&fetches, guard.MaxAge(time.Minute), guard.By("args.replicas")))
	for _, replicas := range []string{"1", "2", "1", "2"} {
		require.True(t, s.decide(t, replicas).Allowed())
	}
	assert.EqualValues(t, 2, fetches.Load())
}

func TestFactOfOneSessionServesNoOther(t *testing.T) {
	var fetches atomic.Int64
	s := under(t, readsLimit, limit(&fetches, guard.MaxAge(time.Minute)))
	for _, session := range []guard.Session{{ID: "s1"}, {ID: "s2"}, {ID: "s2", OnBehalfOf: "dana"}, {ID: "s1"}} {
		_, d := s.begin(guard.WithSession(t.Context(), session), "1")
		require.True(t, d.Allowed())
	}
	assert.EqualValues(t, 3, fetches.Load())
}

func TestFailedFactIsNotKept(t *testing.T) {
	fails := true
	s := under(t, readsLimit, guard.WithFacts(guard.NewFact("limit", func(context.Context, guard.Checked) (int64, error) {
		if fails {
			return 100, errors.New("connection to 10.1.2.3 refused")
		}
		return 100, nil
	}, guard.MaxAge(time.Hour))))
	d := s.decide(t, "1")
	assert.Equal(t, []rationale.Reason{rationale.FactUnavailable}, refused(t, d))
	assert.Equal(t, "connection to 10.1.2.3 refused", d.Record().Facts[0].Error)
	assert.NotContains(t, string(d.Refusal()), "10.1.2.3", "the model does not see what the host's systems answer")
	fails = false
	assert.True(t, s.decide(t, "1").Allowed())
}

func TestFactThatEndsItsGoroutineIsUnavailable(t *testing.T) {
	s := under(t, readsLimit, guard.WithFacts(guard.NewFact("limit", func(context.Context, guard.Checked) (int64, error) {
		runtime.Goexit()
		return 100, nil
	})))
	assert.Equal(t, []rationale.Reason{rationale.FactUnavailable}, refused(t, s.decide(t, "1")))
}

func TestFactGetsTheCheckedCallAndADeadline(t *testing.T) {
	type key struct{}
	s := under(t, readsLimit, guard.WithFacts(guard.NewFact("limit", func(ctx context.Context, c guard.Checked) (int64, error) {
		_, limited := ctx.Deadline()
		assert.True(t, limited)
		assert.Equal(t, "kept", ctx.Value(key{}))
		assert.Equal(t, scaleID, c.Tool)
		assert.Equal(t, "scale", c.Class)
		assert.Equal(t, guardtest.AgentID, c.Agent.ID)
		assert.Equal(t, `{"replicas":1}`, string(c.Arguments))
		return 100, nil
	})))
	_, d := s.begin(context.WithValue(t.Context(), key{}, "kept"), "1")
	assert.True(t, d.Allowed())
}

func TestFactsAreFetchedAtTheSameTime(t *testing.T) {
	var meet sync.WaitGroup
	meet.Add(2)
	both := func(context.Context, guard.Checked) (int64, error) {
		meet.Done()
		meet.Wait() // for the other
		return 100, nil
	}
	s := under(t, `, bounds: [{expr: "args.replicas <= facts.a && args.replicas <= facts.b"}]`,
		guard.WithFacts(guard.NewFact("a", both), guard.NewFact("b", both)))
	assert.True(t, s.decide(t, "1").Allowed())
}

// stuck is a fact that ignores its context until it is released.
type stuck struct {
	fetches atomic.Int64
	release chan struct{}
}

func newStuck(t *testing.T) *stuck {
	s := &stuck{release: make(chan struct{})}
	t.Cleanup(func() { close(s.release) })
	return s
}

func (s *stuck) fact(opts ...guard.FactOption) guard.Option {
	opts = append(opts, guard.Timeout(5*time.Millisecond))
	return guard.WithFacts(guard.NewFact("limit", func(context.Context, guard.Checked) (int64, error) {
		s.fetches.Add(1)
		<-s.release
		return 100, nil
	}, opts...))
}

func TestStuckFactIsAbandoned(t *testing.T) {
	fact := newStuck(t)
	s := under(t, readsLimit, fact.fact())
	d := s.decide(t, "1")
	assert.Equal(t, []rationale.Reason{rationale.FactUnavailable}, refused(t, d))
	assert.Contains(t, d.Record().Facts[0].Error, "no answer within 5ms")
}

// Facts that do not answer are waited for at the same time, each from when it
// was asked.
func TestStuckFactsShareTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var facts []guard.Fact
		for _, name := range []string{"one", "two", "three"} {
			facts = append(facts, guard.NewFact(name, func(context.Context, guard.Checked) (bool, error) { <-release; return true, nil }))
		}
		s := under(t, `, bounds: [{expr: "facts.one && facts.two && facts.three"}]`, guard.WithFacts(facts...))
		began := time.Now()
		assert.Equal(t, []rationale.Reason{rationale.FactUnavailable}, refused(t, s.decide(t, "1")))
		assert.Equal(t, guard.DefaultTimeout, time.Since(began))
		close(release)
	})
}

func TestStuckFactWithMaxAgeFliesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fact := newStuck(t)
		s := under(t, readsLimit, fact.fact(guard.MaxAge(time.Hour)))
		for range 5 {
			assert.Equal(t, []rationale.Reason{rationale.FactUnavailable}, refused(t, s.decide(t, "1")))
		}
		synctest.Wait()
		assert.EqualValues(t, 1, fact.fetches.Load())
	})
}

func TestStuckFactsAreBounded(t *testing.T) {
	for name, opts := range map[string][]guard.FactOption{
		"fetched each time": nil,
		"kept by arguments": {guard.MaxAge(time.Hour), guard.By("args.replicas")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fact := newStuck(t)
				s := under(t, readsLimit, fact.fact(opts...))
				var group sync.WaitGroup
				for i := range 80 {
					group.Go(func() {
						_, d := s.begin(context.Background(), fmt.Sprint(i))
						assert.False(t, d.Allowed())
					})
				}
				group.Wait()
				synctest.Wait() // a fetch given up on may not have begun
				assert.EqualValues(t, 64, fact.fetches.Load())
			})
		})
	}
}

func TestOneCallersCancellationDoesNotEndAnothersFetch(t *testing.T) {
	var (
		started = make(chan struct{})
		release = make(chan struct{})
		once    sync.Once
	)
	s := under(t, readsLimit, guard.WithFacts(guard.NewFact("limit", func(ctx context.Context, _ guard.Checked) (int64, error) {
		once.Do(func() { close(started) })
		select {
		case <-release:
			return 100, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}, guard.MaxAge(time.Hour), guard.Timeout(time.Minute))))

	first, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		_, d := s.begin(first, "1")
		assert.False(t, d.Allowed(), "cancelled")
	})
	<-started
	group.Go(func() {
		_, d := s.begin(context.Background(), "1")
		assert.True(t, d.Allowed(), "%s", d.Refusal())
	})
	cancel()
	eventually(t, func() bool { return len(s.recorder.Decisions()) == 1 })
	close(release)
	group.Wait()
}

func TestRevocationDuringAFetchStillCounts(t *testing.T) {
	docs := []authority.Document{grantDocument("fleet", scaleClass(readsLimit))}
	var s *stage
	var once sync.Once
	s = open(t, docs, guard.WithFacts(guard.NewFact("limit", func(context.Context, guard.Checked) (int64, error) {
		once.Do(func() { assert.NoError(t, s.Reload(append(docs, halt("Revocation", "fleet")))) })
		return 100, nil
	})))
	s.clock.Set(time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC))
	assert.Contains(t, refused(t, s.decide(t, "1")), rationale.Revoked)
	assert.Len(t, s.recorder.Decisions(), 1)
}

func TestEstimatorIsAbandonedAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var asked atomic.Int64
		s := under(t, `, spend: {currency: EUR, estimate: {estimator: quote}, per_event: {parameterized: "10.00"}}`,
			guard.WithEstimators(guard.NewEstimator("quote", "EUR", func(context.Context, guard.Checked) (string, error) {
				asked.Add(1)
				<-release
				return "1.00", nil
			})))
		t.Cleanup(func() { close(release) })
		var group sync.WaitGroup
		for range 80 {
			group.Go(func() {
				_, d := s.begin(context.Background(), "1")
				assert.Equal(t, []rationale.Reason{rationale.Unpriced}, d.Record().Reasons)
			})
		}
		group.Wait()
		synctest.Wait()
		assert.EqualValues(t, 64, asked.Load())
	})
}

func TestEstimatorPrices(t *testing.T) {
	amount := "9.99"
	s := under(t, `, spend: {currency: EUR, estimate: {estimator: quote}, per_event: {parameterized: "10.00"}}`,
		guard.WithEstimators(guard.NewEstimator("quote", "EUR", func(context.Context, guard.Checked) (string, error) {
			return amount, nil
		})))
	d := s.decide(t, "1")
	require.True(t, d.Allowed(), "%s", d.Refusal())
	assert.Equal(t, "9.99", d.Record().Spend.Amount)
	amount = "10.01"
	assert.Contains(t, refused(t, s.decide(t, "1")), rationale.SpendLimit)
}
