package celplan

import (
	"slices"
	"unsafe"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// native is an expression as this package evaluates it: typed closures over
// the slots of a frame, and, for what is a conjunction or disjunction, a chain
// of small instructions. It is immutable.
type native struct {
	places []nativePlace // what a readFault says
	slots  int           // that a frame must have

	chain chain                // of the result as a bool, never empty
	ints  fn[int64]            // of an Int expression
	less  *difference          // that is one, where it serves
	any   fn[strictjson.Value] // of one whose result is looked at
}

// nativePlace is a value that an expression reads.
type nativePlace struct {
	path  Path
	names []string // of the members of args that lead to it, where it has a slot and they are several
	slot  int      // -1: none
}

// fn computes a value on a frame, or says why there is none.
type fn[T any] = func(*Frame) (T, fault)

// nativeConfig says what a native program is compiled for, and, for tests,
// which of our rules it leaves out.
type nativeConfig struct {
	types  *provider
	layout *Layout
	at     map[int64]Path // of selections and indexes, by id

	variables map[string]nativeVariable // beside those of types

	unfolded  bool // parts that read nothing are left to the evaluation
	absorbing bool // an absent value is a fault that && and || absorb
	infinite  bool // arithmetic may yield NaN and infinities
	lenient   bool // patterns need no anchors
}

// nativeVariable is a variable that is read whole from a slot.
type nativeVariable struct {
	typ  *types.Type
	slot int
}

// compileNative returns the native program of a checked expression, or why
// there is none.
func compileNative(root *ast.AST, cfg nativeConfig) (*native, string) {
	c := &nativeCompiler{nativeConfig: cfg, ast: root, slots: maxLoops, lowest: maxLoops}
	result := c.compile(root.Expr(), nil)
	if c.why != "" {
		return nil, c.why
	}
	n := &native{places: c.places, slots: c.slots}
	switch {
	case result.exact && result.kind == strictjson.Bool:
		n.chain = *result.asChain()
	case result.exact && result.kind == strictjson.Int:
		n.ints, n.less = result.asInt(), result.less
	default:
		n.any = result.asAny()
	}
	if len(n.chain.clauses) == 0 {
		n.chain.append(instruction{clause: clause{slow: n.asBool}})
	}
	n.places, n.chain.clauses = slices.Clone(n.places), slices.Clone(n.chain.clauses) // no larger than they are
	return n, ""
}

// packed is a program with its native one and its instructions in one piece:
// among thousands of programs an evaluation waits for memory above all, and
// each piece is a page that may be far away. The sizes are whole cache lines, so
// that each instruction lies in one.
type (
	packed2 struct {
		clauses [2]clause
		Program
		native
		_ [384 - 2*sizeOfClause - sizeOfProgram - sizeOfNative]byte
	}
	packed4 struct {
		clauses [4]clause
		Program
		native
		_ [512 - 4*sizeOfClause - sizeOfProgram - sizeOfNative]byte
	}
)

const (
	sizeOfClause  = unsafe.Sizeof(clause{})
	sizeOfProgram = unsafe.Sizeof(Program{})
	sizeOfNative  = unsafe.Sizeof(native{})
)

// pack returns the program in one piece, unless it has many instructions.
func (p *Program) pack() *Program {
	if p.native == nil {
		return p
	}
	clauses := p.native.chain.clauses
	switch n := len(clauses); {
	case n <= 2:
		m := &packed2{Program: *p, native: *p.native}
		p, m.native.chain.clauses = &m.Program, append(m.clauses[:0:n], clauses...)
		p.native = &m.native
	case n <= 4:
		m := &packed4{Program: *p, native: *p.native}
		p, m.native.chain.clauses = &m.Program, append(m.clauses[:0:n], clauses...)
		p.native = &m.native
	}
	return p
}

// begin prepares a frame for one evaluation. It reports whether the frame can
// serve it.
func (n *native) begin(f *Frame) bool {
	f.work, f.text, f.lists.used = maxCost, maxRead, 0
	return n.slots <= len(f.vals)
}

// bool evaluates an expression that yields a bool, from instruction i on.
func (n *native) bool(f *Frame, i int) (bool, error) {
	if !n.begin(f) {
		return false, nothing()
	}
	out, failed := n.guarded(f, i)
	if failed != 0 {
		return false, n.failure(f, failed)
	}
	return out, nil
}

// Faults of the whole.
const (
	panicked = ^fault(0) - iota // a fault of ours, not of the expression
	noBool                      // the result is no bool
	noInt
	noText
)

func (n *native) guarded(f *Frame, i int) (out bool, failed fault) {
	defer func() {
		if r := recover(); r != nil {
			out, failed = false, panicked
		}
	}()
	return n.chain.resume(f, i)
}

// asBool evaluates an expression that may not yield a bool.
func (n *native) asBool(f *Frame) (bool, fault) {
	if n.any == nil {
		return false, noBool
	}
	v, failed := n.any(f)
	if failed == 0 && v.Kind() != strictjson.Bool {
		failed = noBool
	}
	return v.Bool() && failed == 0, failed
}

// int evaluates an expression that yields an int.
func (n *native) int(f *Frame) (int64, error) {
	if !n.begin(f) {
		return 0, nothing()
	}
	v, failed := n.computed(f)
	if failed == 0 && v.Kind() != strictjson.Int {
		failed = noInt
	}
	if failed != 0 {
		return 0, n.failure(f, failed)
	}
	return v.Int(), nil
}

// text evaluates an expression that yields a string.
func (n *native) text(f *Frame) (string, error) {
	if !n.begin(f) {
		return "", nothing()
	}
	v, failed := n.computed(f)
	if failed == 0 && v.Kind() != strictjson.String {
		failed = noText
	}
	if failed != 0 {
		return "", n.failure(f, failed)
	}
	return v.Str(), nil
}

func (n *native) computed(f *Frame) (v strictjson.Value, failed fault) {
	defer func() {
		if r := recover(); r != nil {
			v, failed = strictjson.Value{}, panicked
		}
	}()
	switch {
	case n.ints != nil:
		i, failed := n.ints(f)
		return strictjson.IntValue(i), failed
	case n.any != nil:
		return n.any(f)
	}
	b, failed := n.chain.run(f)
	return strictjson.BoolValue(b), failed
}
