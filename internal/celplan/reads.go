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

func (p place) path() Path { return pathOf(p.steps) }

func pathOf(steps []step) Path {
	size := 0
	for _, s := range steps {
		size += len(s.name) + len("[]")
	}
	var b strings.Builder
	b.Grow(size)
	for i, s := range steps {
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
}

type reader struct {
	types *provider
	found []reference
	at    map[int64]Path
	visit func(ast.Expr, bindings) // walk
}

// readsOf returns what the expression refers to, sorted by path, and the path
// of every selection and index, by its id.
func readsOf(root *ast.AST, types *provider) ([]reference, map[int64]Path) {
	r := &reader{types: types, at: make(map[int64]Path)}
	r.visit = r.walk
	r.walk(root.Expr(), nil)
	slices.SortFunc(r.found, func(a, b reference) int { return strings.Compare(string(a.path), string(b.path)) })
	return r.found, r.at
}

func (r *reader) walk(e ast.Expr, bound bindings) {
	if at, ok := r.types.locate(e, bound); ok {
		r.chain(e, at.steps, bound, r.record(at, false))
		return
	}
	if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
		if at, ok := r.types.locate(e.AsSelect().Operand(), bound); ok {
			r.at[e.ID()] = r.record(at.then(step{name: e.AsSelect().FieldName()}), true)
			r.chain(e.AsSelect().Operand(), at.steps, bound, "")
			return
		}
	}
	if e.Kind() == ast.ComprehensionKind {
		r.comprehension(e, bound)
		return
	}
	r.types.inside(e, bound, r.visit)
}

// chain notes the paths of the selections that lead to a place, and walks the
// indexes on the way. path is that of the steps, if it is known.
func (r *reader) chain(e ast.Expr, steps []step, bound bindings, path Path) {
	if e.Kind() != ast.SelectKind && e.Kind() != ast.CallKind {
		return
	}
	if path == "" {
		path = pathOf(steps)
	}
	r.at[e.ID()] = path
	if e.Kind() == ast.SelectKind {
		r.chain(e.AsSelect().Operand(), steps[:len(steps)-1], bound, "")
		return
	}
	r.chain(e.AsCall().Args()[0], steps[:len(steps)-1], bound, "")
	r.walk(e.AsCall().Args()[1], bound)
}

// comprehension records a list that is looped over by what is read of its
// elements, and whole only where nothing is.
func (r *reader) comprehension(e ast.Expr, bound bindings) {
	loop := e.AsComprehension()
	each := r.types.element(e, bound)
	r.types.inside(e, bound, func(operand ast.Expr, inner bindings) {
		if each != nil && operand.ID() == loop.IterRange().ID() {
			r.chain(operand, each.steps[:len(each.steps)-1], inner, "")
			return
		}
		r.walk(operand, inner)
	})
	if each == nil {
		return
	}
	prefix := string(each.path())
	for _, known := range r.found {
		if strings.HasPrefix(string(known.path), prefix) {
			return
		}
	}
	r.record(place{steps: each.steps[:len(each.steps)-1]}, false)
}

func (r *reader) record(at place, tested bool) Path {
	path := at.path()
	for i := range r.found {
		if known := &r.found[i]; known.path == path {
			known.tested = known.tested && tested
			return known.path
		}
	}
	r.found = append(r.found, reference{path: path, steps: at.steps, tested: tested})
	return path
}

// read is a path of [Program.Reads], and where a frame has the value that
// [Program.Readings] shows for it.
type read struct {
	path   Path
	shown  Path     // path up to the first list element
	tested bool     // by has() only
	slot   int32    // that leads to it; -1: none does
	rest   []string // the names of members from there
}

// readOf finds the slot of a reference.
func (l *Layout) readOf(types *provider, ref reference) read {
	r := read{path: ref.path, shown: ref.path, tested: ref.tested}
	steps := ref.steps
	if each := slices.IndexFunc(steps, func(s step) bool { return s.any }); each >= 0 {
		steps = steps[:each]
		r.shown = pathOf(steps)
	}
	slot, rest := l.resolve(types, steps)
	r.slot = int32(slot)
	for _, s := range rest {
		r.rest = append(r.rest, s.name)
	}
	return r
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

// Readings is [Program.AppendReadings] to nothing.
func (p *Program) Readings(f *Frame) []Reading { return p.AppendReadings(nil, f) }

// AppendReadings appends to dst what the expression refers to with the values
// of a frame, sorted by path, for the record of a check. It shows a list whole
// instead of what is read of its elements, and it includes what the evaluation
// did not reach.
func (p *Program) AppendReadings(dst []Reading, f *Frame) []Reading {
	if p == nil || f == nil || f.layout != p.layout {
		return dst
	}
	first := len(dst)
	for i := range p.reads {
		r := &p.reads[i]
		reading := Reading{Path: r.shown}
		reading.Value, reading.Unavailable = f.lookup(r)
		at, known := slices.BinarySearchFunc(dst[first:], r.shown, func(a Reading, path Path) int {
			return strings.Compare(string(a.Path), string(path))
		})
		if !known {
			dst = slices.Insert(dst, first+at, reading)
		}
	}
	return dst
}

func (f *Frame) lookup(r *read) (strictjson.Value, string) {
	if r.slot < 0 || int(r.slot) >= len(f.vals) {
		return strictjson.Value{}, ""
	}
	if why, broken := f.Unavailable(int(r.slot)); broken {
		return strictjson.Value{}, orUnknown(why)
	}
	v := f.vals[r.slot]
	for _, name := range r.rest {
		next, ok := v.Get(name)
		if !ok {
			return strictjson.Value{}, ""
		}
		v = next
	}
	return v, ""
}
