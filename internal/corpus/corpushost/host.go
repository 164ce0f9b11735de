// Package corpushost makes the host that a case of the decision corpus
// describes, so that the corpus can be replayed through a guard.
package corpushost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/corpus"
	"github.com/ambit-go/ambit/rationale"
)

// Each runs a subtest for every case of the corpus in dir; under -short, for
// every fifth of a suite.
func Each(t *testing.T, dir string, run func(t *testing.T, suite corpus.Suite, c corpus.Case)) {
	t.Helper()
	suites, err := corpus.Load(dir)
	require.NoError(t, err)
	require.NotEmpty(t, suites)
	for _, suite := range suites {
		t.Run(suite.Name, func(t *testing.T) {
			for i, c := range suite.Cases {
				if testing.Short() && i%5 != 0 {
					continue
				}
				t.Run(c.Name, func(t *testing.T) { run(t, suite, c) })
			}
		})
	}
}

// Host is the guard of one case.
type Host struct {
	Guard    *guard.Guard
	Recorder *guardtest.Recorder
	suite    corpus.Suite
	c        corpus.Case
}

// New returns the guard of a case, with none of its tools registered.
func New(t *testing.T, suite corpus.Suite, c corpus.Case) *Host {
	t.Helper()
	h := &Host{Recorder: &guardtest.Recorder{}, suite: suite, c: c}
	opts := []guard.Option{
		guard.WithLedger(ledger.New(h.Recorder)),
		guard.WithClock(func() time.Time { return c.Call.At }),
	}
	if suite.AllowUnsigned {
		opts = append(opts, guard.AllowUnsigned())
	}
	for _, spec := range suite.Manifest.Facts {
		opts = append(opts, guard.WithFacts(h.fact(t, spec)))
	}
	for _, spec := range suite.Manifest.Derived {
		opts = append(opts, guard.WithDerived(h.derived(t, spec)))
	}
	for _, spec := range suite.Manifest.Estimators {
		opts = append(opts, guard.WithEstimators(h.estimator(spec)))
	}
	m := c.Call.Model
	first := suite.Before
	if len(first) == 0 {
		first = suite.Documents
	}
	g, err := guard.New(first, guard.Agent{
		ID: c.Call.Agent, Environment: c.Call.Environment, Prompt: c.Call.Prompt,
		Model: authority.ModelSpec{Provider: m.Provider, Name: m.Name, Version: m.Version},
	}, opts...)
	require.NoError(t, err)
	if len(suite.Before) > 0 {
		require.NoError(t, g.Reload(suite.Documents))
	}
	h.Guard = g
	return h
}

// Context carries the session of the case.
func (h *Host) Context(ctx context.Context) context.Context {
	return guard.WithSession(ctx, guard.Session{ID: h.c.Call.Session, OnBehalfOf: h.c.Call.OnBehalfOf})
}

// Register registers every tool of the suite.
func (h *Host) Register(t *testing.T) {
	t.Helper()
	require.NoError(t, h.Guard.Register(h.suite.Manifest.Tools...))
}

// readTool is the tool with which suites say what was read earlier.
const readTool = "look"

// Rehearse executes the calls that the case says were read earlier in the
// session, with the suite's read tool, which must be registered.
func (h *Host) Rehearse(t *testing.T) {
	t.Helper()
	for _, id := range h.c.Call.Read {
		ctx, d := h.Guard.Begin(h.Context(t.Context()), guard.Call{
			ID: id, Tool: classify.ToolID{Name: readTool}, Arguments: []byte(`{}`),
		})
		require.True(t, d.Allowed(), "%s", d.Refusal())
		require.NoError(t, h.Guard.End(ctx, d, []byte(`{}`), nil))
	}
}

// Decision returns the one decision that the recorder holds beside those of
// Rehearse.
func (h *Host) Decision(t *testing.T) *rationale.Decision {
	t.Helper()
	decisions := h.Recorder.Decisions()
	require.Len(t, decisions, len(h.c.Call.Read)+1, "exactly one decision")
	return decisions[len(decisions)-1]
}

// Check compares the recorded decision with what the case wants.
func (h *Host) Check(t *testing.T) *rationale.Decision {
	t.Helper()
	d := h.Decision(t)
	for _, diff := range h.c.Want.Differences(d) {
		t.Error(diff)
	}
	return d
}

func (h *Host) fact(t *testing.T, spec authority.FactSpec) guard.Fact {
	t.Helper()
	opts := []guard.FactOption{guard.MaxAge(spec.MaxAge), guard.By(spec.By...), guard.Source(spec.Source)}
	switch spec.Type {
	case "int":
		return guard.NewFact(spec.Name, value[int64](h, spec), opts...)
	case "bool":
		return guard.NewFact(spec.Name, value[bool](h, spec), opts...)
	case "string":
		return guard.NewFact(spec.Name, value[string](h, spec), opts...)
	}
	require.Fail(t, "no such fact type in the corpus host", spec.Type)
	return guard.Fact{}
}

// value answers as the case says. A value that the case calls older than the
// fact allows cannot be had: a guard never keeps one that long.
func value[T guard.Value](h *Host, spec authority.FactSpec) func(context.Context, guard.Checked) (T, error) {
	return func(context.Context, guard.Checked) (T, error) {
		var none T
		if _, given := h.c.Call.Facts[spec.Name]; !given {
			if text, ok := h.c.Call.FactErrors[spec.Name]; ok {
				return none, errors.New(text)
			}
			return none, errors.New("the case does not give it")
		}
		v, err := h.c.Call.Fact(h.suite.Manifest, spec.Name)
		switch {
		case err != nil:
			return none, err
		case v.Err != nil:
			return none, v.Err
		case spec.MaxAge > 0 && h.c.Call.At.Sub(v.At) > spec.MaxAge:
			return none, errors.New("only an older value is to be had")
		}
		typed, ok := v.Value.(T)
		if !ok {
			return none, fmt.Errorf("%T is no %T", v.Value, none)
		}
		return typed, nil
	}
}

func (h *Host) derived(t *testing.T, spec authority.DerivedSpec) guard.Derived {
	t.Helper()
	require.Equal(t, "list<string>", spec.Type, "the only derived type in the corpus host")
	return guard.Derive(spec.Tool, spec.Name, func(json.RawMessage) ([]string, error) {
		v, err := h.c.Call.Derive(h.suite.Manifest, spec.Name)
		if err != nil {
			return nil, err
		}
		var list []string
		for _, item := range v.([]any) {
			list = append(list, item.(string))
		}
		return list, nil
	})
}

func (h *Host) estimator(spec authority.EstimatorSpec) guard.Estimator {
	return guard.NewEstimator(spec.Name, spec.Currency, func(context.Context, guard.Checked) (string, error) {
		switch e := h.c.Call.Estimate; {
		case e == nil:
			return "", errors.New("the case gives no estimate")
		case e.Error != "":
			return "", errors.New(e.Error)
		case e.Currency != spec.Currency:
			return "", fmt.Errorf("the case answers in %s", e.Currency)
		default:
			return e.Amount, nil
		}
	})
}
