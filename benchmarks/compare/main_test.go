package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
	"github.com/ambit-go/ambit/benchmarks/internal/report"
)

// hurried is enough to have every number, and for none to mean anything.
var hurried = pace{
	turn: 50 * time.Microsecond, total: time.Millisecond, least: time.Millisecond, loading: time.Millisecond, classes: 200,
}

// implementations says who does what: each case with all who can do it.
var implementations = map[string][]string{
	"eval":              {"ambit", "cel-go", "expr", "cedar-go", "opa", "handwritten"},
	"eval-complex":      {"ambit", "cel-go", "expr", "opa", "handwritten"},
	"check":             {"ambit", "cel-go+encoding/json", "cel-go+encoding/json-struct", "expr", "cedar-go", "opa", "handwritten"},
	"check-deny":        {"ambit", "cel-go+encoding/json", "cel-go+encoding/json-struct", "expr", "cedar-go", "opa", "handwritten"},
	"scan-floor":        {"scan-floor"},
	"parallel":          {"ambit", "handwritten", "scan-floor"},
	"governed":          {"ambit"},
	"governed-otel":     {"ambit", "handwritten"},
	"governed-sync":     {"ambit"},
	"fsync-floor":       {"fsync-floor"},
	"governed-sync-64":  {"ambit"},
	"governed-os":       {"ambit"},
	"write-floor":       {"write-floor"},
	"admit-pg":          {"ambit"},
	"pg-floor":          {"pg-floor"},
	"governed-approval": {"ambit"},
	"admit-memory":      {"ambit"},
	"scale-10":          {"ambit"},
	"scale-10k":         {"ambit"},
	"scale-10k-uniform": {"ambit"},
	"scale-10k-when":    {"ambit"},
	"load-10k":          {"ambit", "yaml+cel-go"},
	"load-10k-live":     {"ambit", "yaml+cel-go"},
}

func TestEveryCaseIsMeasured(t *testing.T) {
	var notes bytes.Buffer
	results, err := measureAll(options{}, hurried, progress{io.Discard, &notes})
	require.NoError(t, err)
	if notes.Len() > 0 {
		t.Skip(notes.String())
	}
	found := map[string][]string{}
	var order []string
	for _, r := range results {
		if len(found[r.Case]) == 0 {
			order = append(order, r.Case)
		}
		found[r.Case] = append(found[r.Case], r.Impl)
		assert.Positive(t, r.NsOp, "%s of %s", r.Impl, r.Case)
	}
	assert.Equal(t, implementations, found)
	assert.Equal(t, caseOrder, order)

	var out bytes.Buffer
	require.NoError(t, write(options{json: true}, results, &out))
	read, err := report.Read(&out)
	require.NoError(t, err)
	assert.Len(t, read, len(results))
	for _, c := range report.Claims(read) {
		assert.False(t, c.Missing, "no results for: %s", c.Text)
	}
}

func TestOnlyWhatMatchesIsMeasured(t *testing.T) {
	o, err := parse([]string{"-case", "^eval$", "-impl", "hand|cel"}, io.Discard)
	require.NoError(t, err)
	results, err := measureAll(o, hurried, progress{io.Discard, io.Discard})
	require.NoError(t, err)
	var names []string
	for _, r := range results {
		names = append(names, r.Case+" "+r.Impl)
	}
	assert.Equal(t, []string{"eval cel-go", "eval handwritten"}, names)
	_, err = measureAll(options{cases: regexp.MustCompile("^evil$")}, hurried, progress{io.Discard, io.Discard})
	assert.ErrorContains(t, err, "the cases are eval, eval-complex, check")
}

func TestADisagreementIsNamedAndEndsIt(t *testing.T) {
	say := func(name, answer string) measure.Impl {
		return measure.Impl{Name: name, Answer: func(int) string { return answer }, Run: func(n int) int { return n }}
	}
	g := group{cases: []string{"eval"}, share: 1, build: func(pace) (measure.Group, error) {
		return measure.Group{Cases: []measure.Case{{
			Name: "eval", Inputs: []measure.Input{{Name: "at the limit"}}, Impls: []measure.Impl{say("ambit", "deny"), say("opa", "allow")},
		}}}, nil
	}}
	_, err := measureGroup(g, options{}, &clock{pace: hurried}, progress{io.Discard, io.Discard})
	require.Error(t, err)
	for _, word := range []string{"eval", "at the limit", "ambit", "opa"} {
		assert.Contains(t, err.Error(), word)
	}
}

func TestTimingIsAnnouncedAfterThePreparation(t *testing.T) {
	var order []string
	g := group{share: 1, build: func(pace) (measure.Group, error) {
		order = append(order, "built")
		return measure.Group{}, nil
	}}
	o := options{timing: func() error {
		order = append(order, "timed")
		return errors.New("no profile")
	}}
	_, err := measureGroup(g, o, &clock{pace: hurried, shares: 1}, progress{io.Discard, io.Discard})
	assert.ErrorContains(t, err, "no profile")
	assert.Equal(t, []string{"built", "timed"}, order)
}

func TestGroupsAreClosed(t *testing.T) {
	closed := 0
	g := group{share: 1, build: func(pace) (measure.Group, error) {
		return measure.Group{Close: func() { closed++ }}, nil
	}}
	_, err := measureGroup(g, options{}, &clock{pace: hurried, shares: 1}, progress{io.Discard, io.Discard})
	require.NoError(t, err)
	assert.Equal(t, 1, closed)
	g.build = func(pace) (measure.Group, error) { return measure.Group{}, errors.New("no policy") }
	_, err = measureGroup(g, options{}, &clock{pace: hurried, shares: 1}, progress{io.Discard, io.Discard})
	assert.ErrorContains(t, err, "no policy")
}

func TestQuickEndsInTime(t *testing.T) {
	c := clock{pace: quick, start: time.Now().Add(-quick.loading), shares: 1}
	for _, g := range groups {
		if g.share > 0 { // the others take their time, and these what is left
			c.start = c.start.Add(-c.plan(g).Budget)
		}
	}
	assert.InDelta(t, quick.total.Seconds(), time.Since(c.start).Seconds(), 0.5)
	assert.InDelta(t, 0, c.shares, 1e-9, "the shares are parts of one")
	late := clock{pace: quick, start: time.Now().Add(-time.Hour), shares: 1}
	assert.Less(t, late.plan(groups[3]).Budget, quick.least)
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-json", "-markdown"}, {"eval"}, {"-case", "("}, {"-fast"}} {
		_, err := parse(args, io.Discard)
		assert.Error(t, err, "%v", args)
	}
	_, err := parse([]string{"-h"}, io.Discard)
	assert.ErrorIs(t, err, flag.ErrHelp)
	o, err := parse([]string{"-quick", "-json"}, io.Discard)
	require.NoError(t, err)
	assert.True(t, o.quick && o.json)
}

func TestAPipeGetsTextAlone(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	results := []measure.Result{{Case: "eval", Impl: "ambit", NsOp: 14}}
	require.NoError(t, write(options{}, results, w))
	p := newProgress(w)
	p.say("eval: 10%%")
	p.done()
	require.NoError(t, w.Close())
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "\x1b")
	assert.NotContains(t, string(text), "10%")
	assert.Contains(t, string(text), "not measured", "the claims follow the table")
}

func TestNoColor(t *testing.T) {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		tty, err = os.Open(os.DevNull) // a character device too
	}
	require.NoError(t, err)
	defer tty.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	assert.True(t, coloured(tty))
	t.Setenv("NO_COLOR", "1")
	assert.False(t, coloured(tty))
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	assert.False(t, coloured(tty))
}

func TestMarkdownIsOneTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, write(options{markdown: true}, []measure.Result{{Case: "eval", Impl: "ambit", NsOp: 14}}, &b))
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		assert.True(t, strings.HasPrefix(line, "| "), line)
	}
}

func TestFilteredTablesMakeNoClaims(t *testing.T) {
	var b bytes.Buffer
	o := options{cases: regexp.MustCompile("eval")}
	require.NoError(t, write(o, []measure.Result{{Case: "eval", Impl: "ambit", NsOp: 14}}, &b))
	assert.NotContains(t, b.String(), "not measured")
	b.Reset()
	o.json = true
	require.NoError(t, write(o, nil, &b))
	assert.True(t, json.Valid(b.Bytes()))
}
