package celplan

import (
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// How many cases of the suite there are, how many cel-go itself gets wrong,
// and how many at least run natively.
const (
	conformanceCases    = 2508
	conformanceFailures = 60
	conformanceNative   = 1155
)

// conformanceRow is what became of the cases of one file.
type conformanceRow struct {
	cases, failed, types, native int

	fallbacks map[string]int // by reason
}

func (r *conformanceRow) add(other *conformanceRow) {
	r.cases += other.cases
	r.failed += other.failed
	r.types += other.types
	r.native += other.native
	for reason, n := range other.fallbacks {
		r.fallbacks[reason] += n
	}
}

func (r *conformanceRow) String() string {
	fallbacks := 0
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(r.fallbacks)) {
		fallbacks += r.fallbacks[reason]
		reasons = append(reasons, fmt.Sprintf("%d %s", r.fallbacks[reason], reason))
	}
	return fmt.Sprintf("%6d %8d %10d %7d %9d  %s", r.cases, r.failed, r.types, r.native, fallbacks, strings.Join(reasons, "; "))
}

// Every case of CEL's conformance suite that cel-go passes has the same value,
// or fails just so, on the native path; or it falls back to cel-go. No case
// made of what rules are made of falls back.
func TestConformance(t *testing.T) {
	t.Parallel()
	files := conformanceFiles(t)
	total := &conformanceRow{fallbacks: make(map[string]int)}
	var table strings.Builder
	fmt.Fprintf(&table, "%-16s %6s %8s %10s %7s %9s\n", "file", "cases", "failing", "type only", "native", "fallback")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		row := &conformanceRow{fallbacks: make(map[string]int)}
		for _, c := range casesOf(t, name, files[name]) {
			row.cases++
			switch {
			case c.failure != nil:
				row.failed++
				t.Logf("cel-go does not pass %s: %v", c.name, c.failure)
			case c.GetCheckOnly():
				row.types++
			default:
				compareNative(t, c, row)
			}
		}
		fmt.Fprintf(&table, "%-16s %v\n", name, row)
		total.add(row)
	}
	fmt.Fprintf(&table, "%-16s %v\n", "total", total)
	t.Log("\n" + table.String())
	assert.Equal(t, conformanceCases, total.cases)
	assert.Equal(t, conformanceFailures, total.failed)
	assert.GreaterOrEqual(t, total.native, conformanceNative)
}

// compareNative runs a case natively, with and without folding.
func compareNative(t *testing.T, c *conformanceCase, row *conformanceRow) {
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: %s: panic: %v\n%s", c.name, c.GetExpr(), r, debug.Stack())
		}
	}()
	if c.checked == nil {
		row.fallbacks["without types"]++
		return
	}
	reason := c.compareCompiled(t, true)
	assert.Equal(t, reason, c.compareCompiled(t, false), "%s: folding decides what runs natively", c.name)
	if reason == "" {
		row.native++
		return
	}
	row.fallbacks[summary(reason)]++
	if c.beyondFeatures() == "" {
		t.Errorf("%s: %s must run natively, and falls back: %s", c.name, c.GetExpr(), reason)
	}
}

// compareCompiled returns why the case has no native program.
func (c *conformanceCase) compareCompiled(t *testing.T, unfolded bool) (reason string) {
	vars := c.slots(t)
	program, reason := compileNative(c.checked, nativeConfig{
		variables: vars, unfolded: unfolded, absorbing: true, infinite: true, lenient: true,
	})
	require.Equal(t, program == nil, reason != "", "%s: %q", c.name, reason)
	if program == nil {
		return reason
	}
	got, failed := program.value(c.frame(vars))
	switch {
	case failed == panicked:
		t.Errorf("%s: %s panicked", c.name, c.GetExpr())
	case (failed != 0) != (c.result == nil):
		t.Errorf("%s: %s yields %s (fault %d), want %v", c.name, c.GetExpr(), shown(got), failed, c.result)
	case failed == 0 && !convertible(c.result):
		t.Errorf("%s: %s yields %s, want a %s", c.name, c.GetExpr(), shown(got), c.result.Type())
	case failed == 0 && !identical(got, fromCEL(c.result)):
		t.Errorf("%s: %s yields %s, want %s", c.name, c.GetExpr(), shown(got), shown(fromCEL(c.result)))
	}
	return ""
}

// summary has one name for what differs from case to case.
func summary(reason string) string {
	switch {
	case strings.HasPrefix(reason, "the name "):
		return "a name of a type, an enum, or a message"
	case strings.HasPrefix(reason, "the function math."):
		return "a function of the math extension"
	case strings.HasPrefix(reason, "the function "):
		return "another function beyond those of rules"
	}
	return reason
}

// slots gives every variable a slot, if native programs can read its value.
func (c *conformanceCase) slots(t *testing.T) map[string]nativeVariable {
	declared := make(map[string]*types.Type)
	for name := range c.vars {
		declared[name] = types.DynType
	}
	for _, d := range c.GetTypeEnv() {
		typ, err := types.ProtoAsType(d.GetIdent().GetType())
		require.NoError(t, err)
		if declared[d.GetName()] = typ; c.untyped {
			declared[d.GetName()] = types.DynType
		}
	}
	slots := make(map[string]nativeVariable)
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if v, bound := c.vars[name]; !bound || convertible(v) {
			slots[name] = nativeVariable{typ: declared[name], slot: maxLoops + len(slots)}
		}
	}
	return slots
}

func (c *conformanceCase) frame(vars map[string]nativeVariable) *Frame {
	f := &Frame{vals: make([]strictjson.Value, maxLoops+len(vars))}
	for name, at := range vars {
		if v, bound := c.vars[name]; bound {
			f.vals[at.slot] = fromCEL(v)
		}
	}
	return f
}

// convertible reports whether a value has kinds that native programs know.
func convertible(v ref.Val) bool {
	switch v := v.(type) {
	case types.Null, types.Bool, types.Int, types.Uint, types.Double, types.String, types.Bytes, types.Timestamp, types.Duration:
		return true
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True; {
			if !convertible(it.Next()) {
				return false
			}
		}
		return true
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True; {
			if !convertible(v.Get(it.Next())) {
				return false
			}
		}
		return true
	}
	return false
}
