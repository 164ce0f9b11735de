package celplan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// shrunk returns the smallest expression it finds in place of e for which
// still holds. Parts become what stands inside of them, or a literal.
func shrunk(e *expr, still func(*expr) bool) *expr {
	for tries := 2000; ; {
		smaller := step(e, func(candidate *expr) bool {
			tries--
			return tries > 0 && still(candidate)
		})
		if smaller == nil {
			return e
		}
		e = smaller
	}
}

// step returns e with one part replaced by a smaller one, or nil.
func step(e *expr, still func(*expr) bool) *expr {
	for _, candidate := range replacements(e) {
		if still(candidate) {
			return candidate
		}
	}
	for i, arg := range e.args {
		smaller := step(arg, func(candidate *expr) bool { return still(e.with(i, candidate)) })
		if smaller != nil {
			return e.with(i, smaller)
		}
	}
	return nil
}

func (e *expr) with(i int, arg *expr) *expr {
	next := *e
	next.args = append([]*expr(nil), e.args...)
	next.args[i] = arg
	return &next
}

// replacements are smaller expressions that could stand for e.
func replacements(e *expr) []*expr {
	var out []*expr
	for _, part := range e.parts() {
		if part.typ == e.typ {
			out = append(out, part)
		}
	}
	size := len(e.String())
	for _, text := range literals[e.typ] {
		if len(text) < size || len(e.args) > 0 {
			out = append(out, &expr{typ: e.typ, form: text})
			break
		}
	}
	for _, text := range map[string][]string{"list": {"[]"}, "map": {"{}"}}[kindOf(e.typ)] {
		if size > len(text) {
			out = append(out, &expr{typ: e.typ, form: text})
		}
	}
	return out
}

// parts are the expressions in e, the larger ones later.
func (e *expr) parts() []*expr {
	var out []*expr
	for _, arg := range e.args {
		out = append(append(out, arg.parts()...), arg)
	}
	return out
}

func kindOf(typ string) string {
	switch {
	case isList(typ):
		return "list"
	case isMap(typ):
		return "map"
	}
	return ""
}

func TestShrunk(t *testing.T) {
	leaf := func(typ, form string) *expr { return &expr{typ: typ, form: form} }
	quotient := &expr{typ: "int", form: "(%s / %s)", args: []*expr{leaf("int", "args.n"), leaf("int", "0")}}
	compared := &expr{typ: "bool", form: "(%s > %s)", args: []*expr{quotient, leaf("int", "5")}}
	whole := &expr{typ: "bool", form: "(%s && %s)", args: []*expr{leaf("bool", "args.p"), compared}}

	divides := func(e *expr) bool { return strings.Contains(e.String(), "/ 0") }
	assert.Equal(t, "((1 / 0) > 5)", shrunk(whole, divides).String())
	assert.Equal(t, "true", shrunk(whole, func(*expr) bool { return true }).String())
	assert.Equal(t, "(args.p && ((args.n / 0) > 5))", shrunk(whole, func(*expr) bool { return false }).String())
}
