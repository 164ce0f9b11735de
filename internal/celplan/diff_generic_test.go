package celplan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Operations on operands of any type that yield a bool.

func (w *writer) conditions() []func(string, int) *expr {
	return []func(string, int) *expr{
		w.equality, w.equality, w.membership, w.membership, w.test, w.guarded, w.macro, w.macro, w.macro, w.comparisonOfNull,
		w.chain, w.chain,
	}
}

// anyType is a type that has values in the scope.
func (w *writer) anyType() string {
	if w.oneIn(4) {
		return pick(w.choices, []string{"uint", "bytes", "list(uint)", "list(bool)", "map(int,string)", "map(string,list(int))", "map(uint,double)", "map(bool,int)", "list(list(string))", "list(duration)", "null"})
	}
	return pick(w.choices, w.scope.types)
}

func (w *writer) equality(_ string, depth int) *expr {
	typ := w.anyType()
	e := &expr{typ: "bool", form: pick(w.choices, []string{"(%s == %s)", "(%s != %s)"})}
	e.args = []*expr{w.of(typ, depth-1), w.of(typ, depth-1)}
	return e
}

// comparisonOfNull compares what can be compared with the literal.
func (w *writer) comparisonOfNull(_ string, depth int) *expr {
	options := []string{"timestamp", "duration", "null"}
	for _, typ := range w.scope.types {
		if typ == "dyn" || isObject(typ) {
			options = append(options, typ, typ)
		}
	}
	form := pick(w.choices, []string{"(%s == null)", "(%s != null)", "(null == %s)"})
	return &expr{typ: "bool", form: form, args: []*expr{w.of(pick(w.choices, options), depth-1)}}
}

func (w *writer) membership(_ string, depth int) *expr {
	switch w.n(4) {
	case 0:
		typ := w.anyType()
		return &expr{typ: "bool", form: "(%s in %s)", args: []*expr{w.of(typ, depth-1), w.of("list("+typ+")", depth-1)}}
	case 1:
		of := w.mapOf(w.anyType())
		return &expr{typ: "bool", form: "(%s in %s)", args: []*expr{w.of(keyType(of), depth-1), w.of(of, depth-1)}}
	}
	typ := pick(w.choices, []string{"string", "int", "string", "double", "uint", "bool", "bytes", "timestamp", "duration"})
	set := "[" + w.constants(typ, pick(w.choices, setSizes)) + "]"
	return &expr{typ: "bool", form: "(%s in %s)", args: []*expr{w.of(typ, depth-1), {typ: "list(" + typ + ")", form: set}}}
}

func (w *writer) test(_ string, depth int) *expr {
	switch w.n(4) {
	case 0:
		for _, v := range w.vars {
			if fields := w.scope.objects[v.typ]; fields != nil {
				return &expr{typ: "bool", form: "has(" + v.name + "." + escaped(pick(w.choices, slices.Sorted(maps.Keys(fields)))) + ")"}
			}
		}
	case 1:
		if typ := w.anyType(); isObject(typ) {
			return w.testOf(typ, depth)
		}
	case 2:
		of := "map(string," + w.anyType() + ")"
		return &expr{typ: "bool", form: "has(%s." + pick(w.choices, keyNames[:4]) + ")", args: []*expr{w.of(of, depth-1)}}
	}
	return &expr{typ: "bool", form: "has(" + pick(w.choices, w.scope.tests) + ")"}
}

func (w *writer) testOf(object string, depth int) *expr {
	member := pick(w.choices, slices.Sorted(maps.Keys(w.scope.objects[object])))
	return &expr{typ: "bool", form: "has(%s." + escaped(member) + ")", args: []*expr{w.of(object, depth-1)}}
}

// chain joins simple clauses, which is what most policies are. Half of them
// are about one value.
func (w *writer) chain(string, int) *expr {
	sign := pick(w.choices, []string{" && ", " && ", " || "})
	theme := w.scalar()
	about := w.known(theme, theme)
	e := &expr{typ: "bool"}
	forms := make([]string, 2+w.n(7))
	for i := range forms {
		forms[i] = "%s"
		typ, path := theme, about
		if w.oneIn(2) {
			typ = w.scalar()
			path = w.known(typ, typ)
		}
		e.args = append(e.args, w.clause(typ, path))
	}
	e.form = "(" + strings.Join(forms, sign) + ")"
	return e
}

func (w *writer) scalar() string {
	var scalars []string
	for _, typ := range w.scope.types {
		if literals[typ] != nil && typ != "null" {
			scalars = append(scalars, typ)
		}
	}
	return pick(w.choices, scalars)
}

// clause compares a value with a literal, or with another of its type.
func (w *writer) clause(typ, path string) *expr {
	if w.oneIn(10) {
		return &expr{typ: "bool", form: w.sized()}
	}
	literal := w.literalOf(typ)
	if w.oneIn(8) {
		path = w.known("dyn", typ)
	}
	form := pick(w.choices, []string{
		"%s == %s", "%s <= %s", "%s >= %s", "%s < %s", "%s > %s", "%s != %s", "!(%s == %s)", "%[2]s < %[1]s", "%[2]s >= %[1]s", "%[2]s == %[1]s",
		"%s in [%s]", "!(%s in [%s])", "%[1]s == " + w.known(typ, typ), "%[1]s <= " + w.known(typ, typ), "%s in [" + w.known(typ, typ) + ", %s]",
		"has(" + pick(w.choices, w.scope.tests) + ")", "!has(" + pick(w.choices, w.scope.tests) + ")",
	})
	if strings.HasPrefix(form, "has") || strings.HasPrefix(form, "!has") {
		return &expr{typ: "bool", form: form}
	}
	switch {
	case typ == "bool" && w.oneIn(2):
		return &expr{typ: "bool", form: pick(w.choices, []string{"", "!"}) + path}
	case typ == "string" && w.oneIn(3):
		form = pick(w.choices, []string{"%s.startsWith(%s)", "%s.endsWith(%s)", "%s.contains(%s)", "%s.size() > %[2]s.size()"})
	case typ == "string" && w.oneIn(6):
		form, literal = "%s.matches(%s)", pick(w.choices, likely["pattern"])
	case (typ == "int" || typ == "double") && w.oneIn(6):
		form = pick(w.choices, []string{"%s < %s", "%s >= %s"})
		literal = pick(w.choices, literals[pick(w.choices, []string{"double", "uint", "int"})])
	case typ == "int" && w.oneIn(3):
		form = pick(w.choices, []string{
			"%s + 1 <= %s * 2", "%s - 1 > %s", "%s %% 2 == %s", "-%s < %s",
			"%s <= " + w.known(typ, typ) + " * %s", "%s > " + w.known(typ, typ) + " + %s", "%s != %[2]s * " + w.known(typ, typ), "%s < " + w.known(typ, typ) + " - %s",
		})
	}
	if strings.HasSuffix(form, "[%s]") || strings.HasSuffix(form, "[%s])") {
		literal = w.constants(typ, pick(w.choices, setSizes))
	}
	return &expr{typ: "bool", form: fmt.Sprintf(form, path, literal)}
}

// sized compares the size of a value that has one.
func (w *writer) sized() string {
	var sizes []string
	for _, typ := range w.scope.types {
		if isList(typ) || isMap(typ) || typ == "string" || typ == "dyn" {
			sizes = append(sizes, w.scope.paths[typ]...)
		}
	}
	form := pick(w.choices, []string{"size(%s) <= %s", "%s.size() > %s", "%s.size() == %s", "size(%s) in [%s, 7]", "%s.size() != %s", "!(size(%s) >= %s)", "size(%[1]s) < 2.5", "%[1]s.size() >= 2u"})
	return fmt.Sprintf(form, pick(w.choices, sizes), pick(w.choices, []string{"0", "1", "2", "3", "-1", "9", "9223372036854775807"}))
}

// known is a path to a value of a type, or a literal of another where there is
// none.
func (w *writer) known(typ, other string) string {
	options := append(w.bound(typ), w.scope.paths[typ]...)
	if len(options) == 0 {
		return pick(w.choices, literals[other])
	}
	return pick(w.choices, options)
}

// guarded reads what it has tested for.
func (w *writer) guarded(_ string, depth int) *expr {
	typ := pick(w.choices, w.scope.types)
	path := pick(w.choices, w.scope.paths[typ])
	if strings.HasSuffix(path, "]") {
		return w.equality("bool", depth)
	}
	form := pick(w.choices, []string{"(has(%s) && %s == %%s)", "(!has(%s) || %s == %%s)", "(has(%s) && %%s == %s)", "(has(%s) && %s in [%%s])"})
	return &expr{typ: "bool", form: fmt.Sprintf(form, path, path), args: []*expr{w.of(typ, depth-1)}}
}

// Macros, and what else takes lists and maps.

// maxLoops is how deep macros are nested in each other: more are refused for
// what they could cost.
const maxLoops = 2

// iterated is a range, and the type of the variable over it.
func (w *writer) iterated(depth int) (*expr, string) {
	switch w.n(6) {
	case 0:
		of := w.mapOf(w.anyType())
		return w.of(of, depth-2), keyType(of)
	case 1:
		if len(w.scope.paths["dyn"]) > 0 {
			return w.leaf("dyn"), "dyn"
		}
	case 2:
		for _, typ := range w.scope.types {
			if isList(typ) && isObject(elem(typ)) {
				return w.of(typ, depth-2), elem(typ)
			}
		}
	}
	typ := pick(w.choices, []string{"int", "string", "double", w.anyType()})
	return w.of("list("+typ+")", depth-2), typ
}

// within writes what stands inside of a macro.
func (w *writer) within(variable, typ string, write func() *expr) *expr {
	w.vars = append([]binding{{variable, typ}}, w.vars...)
	w.loops++
	defer func() { w.vars, w.loops = w.vars[1:], w.loops-1 }()
	return write()
}

func (w *writer) macro(_ string, depth int) *expr {
	if w.loops >= maxLoops {
		return w.equality("bool", depth)
	}
	over, typ := w.iterated(depth)
	v := fmt.Sprint("v", w.loops)
	body := w.within(v, typ, func() *expr {
		if w.oneIn(3) {
			return pick(w.choices, w.conditions())("bool", max(depth-1, 2))
		}
		return w.of("bool", depth-1)
	})
	name := pick(w.choices, []string{"all", "exists", "exists_one"})
	return &expr{typ: "bool", form: "%s." + name + "(" + v + ", %s)", args: []*expr{over, body}}
}

func (w *writer) filtered(typ string, depth int) *expr {
	if w.loops >= maxLoops {
		return w.aggregate(typ, depth)
	}
	over := w.of(typ, depth-1)
	v := fmt.Sprint("v", w.loops)
	body := w.within(v, elem(typ), func() *expr { return w.of("bool", depth-1) })
	return &expr{typ: typ, form: "%s.filter(" + v + ", %s)", args: []*expr{over, body}}
}

func (w *writer) mapped(typ string, depth int) *expr {
	if w.loops >= maxLoops {
		return w.aggregate(typ, depth)
	}
	over, bound := w.iterated(depth)
	v := fmt.Sprint("v", w.loops)
	e := &expr{typ: typ, form: "%s.map(" + v + ", %s)", args: []*expr{over}}
	if w.oneIn(3) {
		e.form = "%s.map(" + v + ", %s, %s)"
		e.args = append(e.args, w.within(v, bound, func() *expr { return w.of("bool", depth-2) }))
	}
	e.args = append(e.args, w.within(v, bound, func() *expr { return w.of(elem(typ), depth-1) }))
	return e
}

func (w *writer) size(_ string, depth int) *expr {
	of := "list(" + w.anyType() + ")"
	if w.oneIn(3) {
		of = w.mapOf(w.anyType())
	}
	return &expr{typ: "int", form: pick(w.choices, []string{"size(%s)", "%s.size()"}), args: []*expr{w.of(of, depth-1)}}
}
