// Package celplan compiles the CEL expressions of authorization documents
// against the declared structure of a call, and evaluates them so that no
// error and no missing value can widen an authority.
//
// An expression sees variables, each of a declared object type: args (the
// tool's checked arguments), derived, facts, and call (tool, agent, environment
// and session, all strings; time, a timestamp); or event, what an audit reads of
// an event log. They are read member by member; none can be used whole.
//
// # What is read
//
// Reading what is not there makes the whole expression an [EvalError] of kind
// [Absent] that nothing absorbs, whatever the rest of the expression says: an
// absent property, a key that a map does not have, an index outside of a list,
// of a declared value as of a computed one. Reading an unavailable fact does
// the same with kind [Unavailable]. Operands are evaluated from left to right,
// and what is not reached is not read: `true || args.x > 5` holds without x.
//
// has(args.x) reads nothing, and is false for an absent member as for an
// unavailable fact. has(args.a.b) reads args.a, so it is an error without it.
// A JSON null is a value, not an absence: has is true of it, and it equals
// only null.
//
// Other errors (a division by zero, an overflow, operands of kinds that do not
// go together) follow CEL: `1 / args.n > 2 || true` holds for an n of 0. So
// does arithmetic on doubles whose result is not finite, which CEL would let
// pass: a comparison with NaN is silently false, so it is an error here.
//
// # What is available
//
// The operators, conversions, string and time functions and macros (has, all,
// exists, exists_one, map, filter) of CEL, and of its strings extension the
// functions that search, cut, join and change case. Ints compare with doubles
// by < <= > and >=. Not available are what loses types (dyn, type), what
// formats, and message literals. The pattern of matches is a literal anchored
// at both ends. Lists and maps in an expression hold values of one type.
//
// # How it is evaluated
//
// Natively: a checked expression becomes typed closures over the slots of a
// [Frame], and its conjunctions and disjunctions become small instructions that
// one loop goes through. Nothing is allocated but for texts and maps that are
// computed. What the native compiler does not know (a comparison of objects of
// different types, a map with keys of no static type, loops nested more than
// four deep) is evaluated by cel-go as a whole; [Program.Native] says why.
//
// cel-go is the reference. Both paths have the same results, and errors of the
// same kind, path and message, except where a limit ends the evaluation: the
// native path counts its own work. [ModeReference] is cel-go alone, and
// [ModeBoth] keeps it beside the native program.
package celplan

import (
	"fmt"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// What an expression may cost. Exceeding a limit of the first group is a
// [CompileError], exceeding one of the second an [EvalError].
const (
	maxSource      = 4096         // characters
	maxNodes       = 2000         // of the syntax tree, with macros expanded
	maxNesting     = 60           // of the parser
	maxPatternSize = 1000         // instructions of a compiled pattern
	maxEstimate    = 10 * maxCost // an estimate is far above what is spent

	maxCost     = 1_000_000  // CEL cost units, or native units of work, of one evaluation
	maxElements = 100_000    // of a computed list; of values compared with each other
	maxText     = 4_000_000  // bytes of a computed string
	maxSearch   = 10_000_000 // steps of one search in a string
	maxRead     = 50_000_000 // bytes of the texts that one evaluation reads, each time that it reads them
)

// What the estimate at compile time takes for the size of a value that only a
// call will bring.
const (
	assumedElements = 64
	assumedText     = 256
)

// stringsVersion pins the functions and the cost model of CEL's strings
// extension.
const stringsVersion = 5

// Scope declares what an expression can read.
//
// Each type is an Object whose fields are the members of the variable; nil
// leaves the variable undeclared. The types must not change afterwards.
type Scope struct {
	Args    *strictjson.Type
	Derived *strictjson.Type
	Facts   *strictjson.Type
	Event   *strictjson.Type
}

// Env compiles expressions of one scope. It is safe for concurrent use.
type Env struct {
	*checker
	layout *Layout
	mode   Mode
}

// Mode says on which path the programs of an [Env] are evaluated.
type Mode uint8

const (
	// ModeNative evaluates natively what can be, and the rest with cel-go.
	ModeNative Mode = iota
	// ModeReference evaluates with cel-go alone.
	ModeReference
	// ModeBoth is ModeNative, and keeps what [Program.ReferenceBool] and
	// [Program.ReferenceInt] need.
	ModeBoth
)

// Option is an option of [NewEnv].
type Option func(*Env)

// WithLayout makes programs that run on frames of that layout. The default is
// a layout of the environment's own.
func WithLayout(l *Layout) Option { return func(e *Env) { e.layout = l } }

// WithMode sets the mode of the programs. The default is [ModeNative].
func WithMode(m Mode) Option { return func(e *Env) { e.mode = m } }

// NewEnv returns the environment of a scope, or an error when a type of the
// scope is no Object, or is malformed.
func NewEnv(scope Scope, opts ...Option) (*Env, error) {
	return new(Checkers).NewEnv(scope, opts...)
}

// Compile compiles src into a program whose result is of exactly the wanted
// kind, Bool, Int or String. The error is a [*CompileError], never nil with a
// nil program.
func (e *Env) Compile(src string, want strictjson.Kind) (p *Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, refuse(1, 1, "the expression cannot be compiled")
		}
	}()
	if e == nil || (want != strictjson.Bool && want != strictjson.Int && want != strictjson.String) {
		return nil, refuse(1, 1, fmt.Sprintf("no expression yields a %s here", want))
	}
	checked, err := e.check(src)
	if err != nil {
		return nil, err
	}
	root := checked.NativeRep()
	if err := e.result(src, root, want); err != nil {
		return nil, err
	}
	if err := e.estimate(checked); err != nil {
		return nil, err
	}
	p = &Program{env: e, layout: e.layout, want: want, src: src}
	refs, at := readsOf(root, e.types)
	p.reads = make([]read, len(refs))
	for i, ref := range refs {
		p.reads[i] = e.layout.readOf(e.types, ref)
	}
	p.why = "the environment is for cel-go alone"
	if e.mode != ModeReference {
		p.native, p.why = compileNative(root, nativeConfig{types: e.types, layout: e.layout, at: at})
	}
	if p.native == nil || e.mode == ModeBoth {
		if p.interpreted, err = e.interpret(checked, at); err != nil {
			return nil, refuse(1, 1, "the expression cannot be compiled")
		}
	}
	p.fold()
	return p.pack(), nil
}
