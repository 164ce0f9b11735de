package celplan

import (
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// Path names a value that an expression refers to: a variable and members,
// separated by dots, with [] for any element of a list or any key of a map
// that is not known before the call: args.replicas, args.flights[].date. A
// name that would be ambiguous is written as a literal key: args.labels["a.b"].
//
// The path of a list or object stands for everything in it.
type Path string

// Root returns the variable: args, derived, facts or call.
func (p Path) Root() string {
	root, _, _ := strings.Cut(string(p), ".")
	root, _, _ = strings.Cut(root, "[")
	return root
}

// Name returns the member of the variable, such as the name of a fact.
func (p Path) Name() string {
	rest := string(p)[len(p.Root()):]
	if quoted, ok := strings.CutPrefix(rest, "["); ok {
		if literal, err := strconv.QuotedPrefix(quoted); err == nil {
			if name, err := strconv.Unquote(literal); err == nil {
				return name
			}
		}
		return ""
	}
	rest = strings.TrimPrefix(rest, ".")
	if end := strings.IndexAny(rest, ".["); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// step is one step of a path: a member, or any element.
type step struct {
	name string
	any  bool
}

// place is where an expression points: the steps to it, and its shape.
type place struct {
	steps []step
	shape *shape
	loop  int64 // id of the comprehension whose variable leads to it, or 0
	loose bool  // the same place can be another value: an index leads to it
}

func (p place) path() Path {
	var b strings.Builder
	for i, s := range p.steps {
		switch {
		case s.any:
			b.WriteString("[]")
		case s.name == "" || strings.ContainsAny(s.name, ".[]\"'`\\"):
			b.WriteString("[" + strconv.Quote(s.name) + "]")
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.name)
		}
	}
	return Path(b.String())
}

func (p place) then(s step) place {
	next := p
	next.steps, next.shape = append(slices.Clip(p.steps), s), p.shape.member(s)
	return next
}

// member returns the shape of a member, nil where there is none.
func (s *shape) member(at step) *shape {
	switch {
	case s == nil:
		return nil
	case s.object != nil && !at.any:
		if f, ok := s.object.fields[at.name]; ok {
			return f.shape
		}
		return nil
	case s.elem != nil:
		return s.elem
	case s.cel.Kind() == types.DynKind:
		return s
	}
	return nil
}

// bindings are the variables of the comprehensions around an expression. A
// nil place is a computed value.
type bindings map[string]*place

func (b bindings) with(name string, at *place) bindings {
	inner := make(bindings, len(b)+1)
	for k, v := range b {
		inner[k] = v
	}
	inner[name] = at
	return inner
}

// locate returns the place that an expression points to, if it points to one:
// a variable, and selections and indexes from it.
func (p *provider) locate(e ast.Expr, bound bindings) (place, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		name, global := strings.CutPrefix(e.AsIdent(), ".")
		if at, local := bound[name]; local && !global {
			if at == nil {
				return place{}, false
			}
			return *at, true
		}
		object, ok := p.variable(name)
		if !ok {
			return place{}, false
		}
		return place{steps: []step{{name: name}}, shape: &shape{cel: object.cel, object: object}}, true
	case ast.SelectKind:
		if e.AsSelect().IsTestOnly() {
			return place{}, false
		}
		at, ok := p.locate(e.AsSelect().Operand(), bound)
		if !ok {
			return place{}, false
		}
		return at.then(step{name: e.AsSelect().FieldName()}), true
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != operators.Index || len(call.Args()) != 2 {
			return place{}, false
		}
		at, ok := p.locate(call.Args()[0], bound)
		if !ok {
			return place{}, false
		}
		if index := call.Args()[1]; index.Kind() == ast.LiteralKind {
			if key, isText := index.AsLiteral().(types.String); isText {
				return at.then(step{name: string(key)}), true
			}
		}
		at = at.then(step{any: true})
		at.loose = true
		return at, true
	}
	return place{}, false
}

// inside calls visit for every operand of e with the variables bound there.
// The range of a comprehension comes first.
func (p *provider) inside(e ast.Expr, bound bindings, visit func(ast.Expr, bindings)) {
	switch e.Kind() {
	case ast.SelectKind:
		visit(e.AsSelect().Operand(), bound)
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			visit(call.Target(), bound)
		}
		for _, arg := range call.Args() {
			visit(arg, bound)
		}
	case ast.ListKind:
		for _, elem := range e.AsList().Elements() {
			visit(elem, bound)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			visit(entry.AsMapEntry().Key(), bound)
			visit(entry.AsMapEntry().Value(), bound)
		}
	case ast.StructKind:
		for _, f := range e.AsStruct().Fields() {
			visit(f.AsStructField().Value(), bound)
		}
	case ast.ComprehensionKind:
		loop := e.AsComprehension()
		visit(loop.IterRange(), bound)
		visit(loop.AccuInit(), bound)
		outer := bound.with(loop.AccuVar(), nil)
		inner := outer.with(loop.IterVar(), p.element(e, bound))
		visit(loop.LoopCondition(), inner)
		visit(loop.LoopStep(), inner)
		visit(loop.Result(), outer)
	}
}

// element is the place of a comprehension's variable: any element, where the
// range is a list at a place. Of a map the variable is the key.
func (p *provider) element(e ast.Expr, bound bindings) *place {
	at, ok := p.locate(e.AsComprehension().IterRange(), bound)
	if !ok || at.shape == nil || at.shape.cel.Kind() != types.ListKind {
		return nil
	}
	each := at.then(step{any: true})
	each.loop, each.loose = e.ID(), false
	return &each
}

// reference is a place that an expression refers to.
type reference struct {
	path   Path
	steps  []step
	tested bool // by has() only
	slot   int  // that leads to it; -1: none does
	rest   []step
}

type reader struct {
	types *provider
	found map[Path]reference
	at    map[int64]Path
}

// readsOf returns what the expression refers to, sorted by path, and the path
// of every selection and index, by its id.
func readsOf(root *ast.AST, types *provider) ([]reference, map[int64]Path) {
	r := &reader{types: types, found: make(map[Path]reference), at: make(map[int64]Path)}
	r.walk(root.Expr(), nil)
	refs := make([]reference, 0, len(r.found))
	for _, ref := range r.found {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b reference) int { return strings.Compare(string(a.path), string(b.path)) })
	return refs, r.at
}

func (r *reader) walk(e ast.Expr, bound bindings) {
	if at, ok := r.types.locate(e, bound); ok {
		r.record(at, false)
		r.chain(e, bound)
		return
	}
	if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
		if at, ok := r.types.locate(e.AsSelect().Operand(), bound); ok {
			tested := at.then(step{name: e.AsSelect().FieldName()})
			r.record(tested, true)
			r.at[e.ID()] = tested.path()
			r.chain(e.AsSelect().Operand(), bound)
			return
		}
	}
	if e.Kind() == ast.ComprehensionKind {
		r.comprehension(e, bound)
		return
	}
	r.types.inside(e, bound, r.walk)
}

// chain notes the paths of the selections that lead to a place, and walks the
// indexes on the way.
func (r *reader) chain(e ast.Expr, bound bindings) {
	at, ok := r.types.locate(e, bound)
	if !ok {
		return
	}
	switch e.Kind() {
	case ast.SelectKind:
		r.at[e.ID()] = at.path()
		r.chain(e.AsSelect().Operand(), bound)
	case ast.CallKind:
		r.at[e.ID()] = at.path()
		r.chain(e.AsCall().Args()[0], bound)
		r.walk(e.AsCall().Args()[1], bound)
	}
}

// comprehension records a list that is looped over by what is read of its
// elements, and whole only where nothing is.
func (r *reader) comprehension(e ast.Expr, bound bindings) {
	loop := e.AsComprehension()
	each := r.types.element(e, bound)
	r.types.inside(e, bound, func(operand ast.Expr, inner bindings) {
		if each != nil && operand.ID() == loop.IterRange().ID() {
			r.chain(operand, inner)
			return
		}
		r.walk(operand, inner)
	})
	if each == nil {
		return
	}
	prefix := string(each.path())
	for path := range r.found {
		if strings.HasPrefix(string(path), prefix) {
			return
		}
	}
	r.record(place{steps: each.steps[:len(each.steps)-1]}, false)
}

func (r *reader) record(at place, tested bool) {
	path := at.path()
	if known, ok := r.found[path]; ok {
		tested = tested && known.tested
	}
	r.found[path] = reference{path: path, steps: at.steps, tested: tested}
}

// Reads returns the sorted distinct paths that the expression refers to,
// those that it only tests with has() included. Reading one of them may be an
// [Absent] or [Unavailable] error.
func (p *Program) Reads() []Path {
	if p == nil {
		return nil
	}
	paths := make([]Path, len(p.reads))
	for i, r := range p.reads {
		paths[i] = r.path
	}
	return paths
}

// Tests returns the sorted distinct paths that the expression tests with
// has() and never reads. Reads includes them.
func (p *Program) Tests() []Path {
	if p == nil {
		return nil
	}
	var paths []Path
	for _, r := range p.reads {
		if r.tested {
			paths = append(paths, r.path)
		}
	}
	return paths
}

// Reading is a value that an expression refers to, as one input has it.
type Reading struct {
	Path  Path             // up to the first list element
	Value strictjson.Value // Invalid: absent or unavailable
	// Unavailable says why a fact could not be read; empty for every other.
	Unavailable string
}

// Readings returns what the expression refers to with the values of a frame,
// sorted by path, for the record of a check. It shows a list whole instead of
// what is read of its elements, and it includes what the evaluation did not
// reach.
func (p *Program) Readings(f *Frame) []Reading {
	if p == nil || f == nil || f.layout != p.env.layout {
		return nil
	}
	var readings []Reading
	for _, r := range p.reads {
		steps := r.steps
		if each := slices.IndexFunc(steps, func(s step) bool { return s.any }); each >= 0 {
			steps = steps[:each]
		}
		reading := Reading{Path: place{steps: steps}.path()}
		reading.Value, reading.Unavailable = f.lookup(r)
		readings = append(readings, reading)
	}
	slices.SortFunc(readings, func(a, b Reading) int { return strings.Compare(string(a.Path), string(b.Path)) })
	return slices.CompactFunc(readings, func(a, b Reading) bool { return a.Path == b.Path })
}

func (f *Frame) lookup(r reference) (strictjson.Value, string) {
	if r.slot < 0 {
		return strictjson.Value{}, ""
	}
	if why, broken := f.Unavailable(r.slot); broken {
		return strictjson.Value{}, orUnknown(why)
	}
	v := f.vals[r.slot]
	for _, s := range r.rest {
		if s.any {
			break
		}
		next, ok := v.Get(s.name)
		if !ok {
			return strictjson.Value{}, ""
		}
		v = next
	}
	return v, ""
}
