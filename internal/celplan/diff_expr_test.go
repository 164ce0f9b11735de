package celplan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// expr is a tree of expressions that can be written, and shrunk.
type expr struct {
	typ  string
	form string // with a %s for each operand; as it is where there are none
	args []*expr
}

func (e *expr) String() string {
	if len(e.args) == 0 {
		return e.form
	}
	texts := make([]any, len(e.args))
	for i, arg := range e.args {
		texts[i] = arg.String()
	}
	return fmt.Sprintf(e.form, texts...)
}

// rule is an operation whose operands have fixed types. Beside CEL's types
// there are those of likely.
type rule struct {
	typ, form string
	operands  []string
}

// name tells rules apart.
func (r rule) name() string { return fmt.Sprint(r.typ, " ", r.form, " of ", r.operands) }

func operation(typ, form string, operands ...string) rule { return rule{typ, form, operands} }

var rulesByType = func() map[string][]rule {
	out := map[string][]rule{}
	for _, r := range rules() {
		out[r.typ] = append(out[r.typ], r)
	}
	return out
}()

// rules are the operations of the language that are not generic; generic
// writes the others.
func rules() []rule {
	out := []rule{
		operation("bool", "(%s && %s)", "bool", "bool"), operation("bool", "(%s || %s)", "bool", "bool"),
		operation("bool", "(%s && %s && %s)", "bool", "bool", "bool"), operation("bool", "(%s || %s || %s)", "bool", "bool", "bool"),
		operation("bool", "(%s && %s && %s && %s && %s)", "bool", "bool", "bool", "bool", "bool"),
		operation("bool", "(%s && (%s || %s) && %s)", "bool", "bool", "bool", "bool"),
		operation("bool", "!%s", "bool"), operation("bool", "!(%s && %s)", "bool", "bool"),
		operation("bool", "%s.startsWith(%s)", "string", "string"), operation("bool", "%s.endsWith(%s)", "string", "string"),
		operation("bool", "%s.contains(%s)", "string", "string"), operation("bool", "%s.matches(%s)", "string", "pattern"),
		operation("bool", "matches(%s, %s)", "string", "pattern"),
		operation("bool", "bool(%s)", "booltext"), operation("bool", "bool(%s)", "bool"),
		operation("bool", "(%s <= %s && %s < %s)", "int", "int", "int", "int"),

		operation("int", "-(%s)", "int"), operation("int", "int(%s)", "inttext"), operation("int", "int(%s)", "double"),
		operation("int", "int(%s)", "uint"), operation("int", "int(%s)", "timestamp"), operation("int", "int(%s)", "int"),
		operation("int", "%s.indexOf(%s)", "string", "string"), operation("int", "%s.indexOf(%s, %s)", "string", "string", "int"),
		operation("int", "%s.lastIndexOf(%s)", "string", "string"), operation("int", "%s.lastIndexOf(%s, %s)", "string", "string", "int"),
		operation("int", "size(%s)", "string"), operation("int", "%s.size()", "string"), operation("int", "%s.size()", "bytes"),

		operation("uint", "uint(%s)", "int"), operation("uint", "uint(%s)", "double"), operation("uint", "uint(%s)", "uinttext"),
		operation("uint", "uint(%s)", "uint"),
		operation("double", "-(%s)", "double"), operation("double", "double(%s)", "doubletext"), operation("double", "double(%s)", "int"),
		operation("double", "double(%s)", "uint"), operation("double", "double(%s)", "double"),

		operation("string", "(%s + %s)", "string", "string"), operation("string", "%s.charAt(%s)", "string", "int"),
		operation("string", "%s.substring(%s)", "string", "int"), operation("string", "%s.substring(%s, %s)", "string", "int", "int"),
		operation("string", "%s.replace(%s, %s)", "string", "string", "string"),
		operation("string", "%s.replace(%s, %s, %s)", "string", "string", "string", "int"),
		operation("string", "%s.trim()", "string"), operation("string", "%s.lowerAscii()", "string"), operation("string", "%s.upperAscii()", "string"),
		operation("string", "%s.join()", "list(string)"), operation("string", "%s.join(%s)", "list(string)", "string"),
		operation("string", "string(%s)", "int"), operation("string", "string(%s)", "uint"), operation("string", "string(%s)", "double"),
		operation("string", "string(%s)", "bool"), operation("string", "string(%s)", "bytes"), operation("string", "string(%s)", "string"),
		operation("string", "string(%s)", "timestamp"), operation("string", "string(%s)", "duration"),

		operation("bytes", "bytes(%s)", "string"), operation("bytes", "bytes(%s)", "bytes"), operation("bytes", "(%s + %s)", "bytes", "bytes"),
		operation("list(string)", "%s.split(%s)", "string", "string"), operation("list(string)", "%s.split(%s, %s)", "string", "string", "int"),

		operation("timestamp", "(%s + %s)", "timestamp", "duration"), operation("timestamp", "(%s - %s)", "timestamp", "duration"),
		operation("timestamp", "(%s + %s)", "duration", "timestamp"), operation("timestamp", "timestamp(%s)", "timetext"),
		operation("timestamp", "timestamp(%s)", "seconds"), operation("timestamp", "timestamp(%s)", "timestamp"),
		operation("duration", "(%s - %s)", "timestamp", "timestamp"), operation("duration", "(%s + %s)", "duration", "duration"),
		operation("duration", "(%s - %s)", "duration", "duration"), operation("duration", "duration(%s)", "durationtext"),
		operation("duration", "duration(%s)", "duration"),
	}
	for _, number := range []string{"int", "uint", "double"} {
		for _, sign := range []string{"+", "-", "*", "/", "%%"} {
			if sign == "%%" && number == "double" {
				continue
			}
			out = append(out, operation(number, "(%s "+sign+" %s)", number, number))
		}
		for _, other := range []string{"int", "uint", "double"} {
			for _, sign := range []string{"<", "<=", ">", ">="} {
				out = append(out, operation("bool", "(%s "+sign+" %s)", number, other))
			}
		}
	}
	for _, ordered := range []string{"string", "bytes", "bool", "timestamp", "duration"} {
		for _, sign := range []string{"<", "<=", ">", ">="} {
			out = append(out, operation("bool", "(%s "+sign+" %s)", ordered, ordered))
		}
	}
	for _, part := range []string{"getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"} {
		out = append(out, operation("int", "%s."+part+"()", "timestamp"), operation("int", "%s."+part+"(%s)", "timestamp", "zone"))
	}
	for _, part := range []string{"getHours", "getMinutes", "getSeconds", "getMilliseconds"} {
		out = append(out, operation("int", "%s."+part+"()", "duration"))
	}
	return out
}

// binding is a variable of a macro.
type binding struct{ name, typ string }

// writer writes a random expression that type-checks in its scope.
type writer struct {
	*choices
	scope   *diffScope
	vars    []binding
	loops   int  // around what is written
	budget  int  // of operations
	uniform bool // inside of a literal, whose elements have one type exactly
	used    []rule
}

func newWriter(scope *diffScope, data []byte) *writer {
	return &writer{choices: &choices{data}, scope: scope, budget: 24}
}

// whole writes an expression whose type is not only known when a call comes.
func (w *writer) whole(typ string, depth int) *expr {
	if typ == "bool" && w.oneIn(2) {
		return pick(w.choices, w.conditions())(typ, depth)
	}
	return w.apply(pick(w.choices, rulesByType[typ]), depth)
}

// of writes an expression of a type, or of dyn in its place.
func (w *writer) of(typ string, depth int) *expr {
	if w.budget--; depth <= 0 || w.budget <= 0 {
		return w.leaf(typ)
	}
	if likely[typ] != nil {
		if typ == "pattern" || !w.oneIn(4) {
			return w.leaf(typ)
		}
		return w.apply(pick(w.choices, rulesByType[plain(typ)]), depth)
	}
	if _, scalar := literals[typ]; scalar && !w.uniform && w.oneIn(10) && len(w.scope.paths["dyn"]) > 0 {
		typ = "dyn"
	}
	choice := w.n(12)
	fixed := rulesByType[typ]
	switch {
	case choice <= 1:
		return w.leaf(typ)
	case choice >= 8 || len(fixed) == 0:
		return w.generic(typ, depth)
	}
	return w.apply(pick(w.choices, fixed), depth)
}

func (w *writer) apply(r rule, depth int) *expr {
	w.used = append(w.used, r)
	e := &expr{typ: r.typ, form: r.form}
	for _, operand := range r.operands {
		e.args = append(e.args, w.of(operand, depth-1))
	}
	return e
}

func (w *writer) leaf(typ string) *expr {
	known := w.bound(typ)
	texts := literals[typ]
	if likely[typ] != nil {
		texts = likely[typ]
	}
	if typ != "pattern" && (likely[typ] == nil || w.oneIn(3)) {
		known = append(known, w.scope.paths[plain(typ)]...)
	}
	switch {
	case len(texts) == 0 && len(known) == 0, (isList(typ) || isMap(typ)) && w.oneIn(4):
		return w.aggregate(typ, 1)
	case len(known) == 0 || len(texts) > 0 && w.oneIn(2):
		return &expr{typ: typ, form: pick(w.choices, texts)}
	}
	return &expr{typ: typ, form: pick(w.choices, known)}
}

// bound lists what the variables of the macros around hold of a type, twice:
// what stands in a macro is mostly about its variable.
func (w *writer) bound(typ string) []string {
	var out []string
	for _, v := range w.vars {
		if v.typ == typ {
			out = append(out, v.name, v.name)
		}
		for _, member := range slices.Sorted(maps.Keys(w.scope.objects[v.typ])) {
			if w.scope.objects[v.typ][member] == typ {
				path := v.name + "." + escaped(member)
				out = append(out, path, path)
			}
		}
	}
	return out
}

// aggregate writes a literal of lists and maps.
func (w *writer) aggregate(typ string, depth int) *expr {
	defer func(was bool) { w.uniform = was }(w.uniform)
	w.uniform = true
	e := &expr{typ: typ}
	var parts []string
	for range pick(w.choices, []int{1, 2, 3, 2, 1, 0, 4}) {
		if isMap(typ) {
			parts = append(parts, "%s: %s")
			key := &expr{typ: "string", form: "'" + w.key() + "'"}
			if keyType(typ) != "string" || w.oneIn(3) {
				key = w.of(keyType(typ), depth-2)
			}
			e.args = append(e.args, key, w.of(elem(typ), depth-1))
			continue
		}
		parts = append(parts, "%s")
		e.args = append(e.args, w.of(elem(typ), depth-1))
	}
	e.form = "[" + strings.Join(parts, ", ") + "]"
	if isMap(typ) {
		e.form = "{" + strings.Join(parts, ", ") + "}"
	}
	return e
}

// generic writes what any type can be the result of.
func (w *writer) generic(typ string, depth int) *expr {
	options := []func(string, int) *expr{w.conditional, w.conditional, w.conditional, w.element, w.value}
	if typ == "bool" {
		options = append(options, w.conditions()...)
	}
	if typ == "int" {
		options = append(options, w.size)
	}
	if len(w.scope.owners[typ]) > 0 {
		options = append(options, w.selection, w.selection)
	}
	if typ == "dyn" {
		options = append(options, w.inDyn, w.inDyn, w.inDyn, w.computedDyn)
	}
	if isList(typ) {
		options = append(options, w.literal, w.literal, w.sum, w.filtered, w.mapped)
	}
	if isMap(typ) {
		options = append(options, w.literal, w.literal)
	}
	return pick(w.choices, options)(typ, depth)
}

func (w *writer) conditional(typ string, depth int) *expr {
	return &expr{typ: typ, form: "(%s ? %s : %s)", args: []*expr{w.of("bool", depth-1), w.of(typ, depth-1), w.of(typ, depth-1)}}
}

// element is an element of a list.
func (w *writer) element(typ string, depth int) *expr {
	return &expr{typ: typ, form: "%s[%s]", args: []*expr{w.of("list("+typ+")", depth-1), w.index(depth)}}
}

func (w *writer) index(depth int) *expr {
	if w.oneIn(3) {
		return w.of("int", depth-2)
	}
	return &expr{typ: "int", form: pick(w.choices, []string{"0", "0", "0", "0", "1", "2", "-1", "9223372036854775807"})}
}

// value is the value of a key in a map.
func (w *writer) value(typ string, depth int) *expr {
	of := w.mapOf(typ)
	if keyType(of) == "string" && !w.oneIn(3) {
		return &expr{typ: typ, form: "%s." + escaped(w.key()), args: []*expr{w.of(of, depth-1)}}
	}
	return &expr{typ: typ, form: "%s[%s]", args: []*expr{w.of(of, depth-1), w.of(keyType(of), depth-2)}}
}

// key is mostly one of a few, which most maps have.
func (w *writer) key() string {
	if w.oneIn(5) {
		return pick(w.choices, keyNames)
	}
	return pick(w.choices, keyNames[:2])
}

// inDyn is what a value of no declared type holds.
func (w *writer) inDyn(_ string, depth int) *expr {
	from := w.of("dyn", depth-1)
	if w.oneIn(3) {
		return &expr{typ: "dyn", form: "%s." + pick(w.choices, []string{"n", "deep", "k", "list", "s"}), args: []*expr{from}}
	}
	key := w.of(pick(w.choices, []string{"int", "string", "dyn", "double", "uint", "bool"}), depth-2)
	if w.oneIn(2) {
		key = &expr{typ: "int", form: pick(w.choices, []string{"0", "1", "'n'", "'deep'", "'list'", "'k'"})}
	}
	return &expr{typ: "dyn", form: "%s[%s]", args: []*expr{from, key}}
}

// computedDyn is an operation whose type is only known when a call comes.
func (w *writer) computedDyn(_ string, depth int) *expr {
	form := pick(w.choices, []string{"(%s + %s)", "(%s - %s)", "(%s * %s)", "([] + %s)", "-(%s)", "([%s] + [%s])[0]"})
	e := &expr{typ: "dyn", form: form}
	for range strings.Count(form, "%s") {
		e.args = append(e.args, w.of("dyn", depth-1))
	}
	return e
}

func (w *writer) mapOf(value string) string {
	return "map(" + pick(w.choices, []string{"string", "string", "string", "int", "bool", "uint"}) + "," + value + ")"
}

func (w *writer) selection(typ string, depth int) *expr {
	from := pick(w.choices, w.scope.owners[typ])
	return &expr{typ: typ, form: "%s." + escaped(from.member), args: []*expr{w.of(from.typ, depth-1)}}
}

func (w *writer) literal(typ string, depth int) *expr { return w.aggregate(typ, depth) }

func (w *writer) sum(typ string, depth int) *expr {
	return &expr{typ: typ, form: "(%s + %s)", args: []*expr{w.of(typ, depth-1), w.of(typ, depth-1)}}
}
