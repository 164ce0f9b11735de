package celplan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// A second net under the cost limit, for expressions that loop: how long an
// evaluation may take, and after how many rounds of a loop that is checked.
// The cost limit comes first by far, so that results do not depend on time.
const (
	maxDuration    = 10 * time.Second
	roundsPerCheck = 100
)

// Program is a compiled expression. It is immutable and safe for concurrent
// use. The zero Program fails.
type Program struct {
	env   *Env
	want  strictjson.Kind
	ast   *ast.AST
	reads []reference
	at    map[int64]Path // of selections and indexes, by id

	reference cel.Program
	loops     bool
	patience  time.Duration // for one evaluation, where it loops

	constant ref.Val // the result, where nothing is read and evaluation succeeds
}

// Input is what one evaluation reads. The zero value of a variable has no
// members. Input is not changed, and may be shared.
type Input struct {
	// Args, Derived and Facts are Objects; a member that is missing or Invalid
	// is absent.
	Args    strictjson.Value
	Derived strictjson.Value
	Facts   strictjson.Value
	// Unavailable says why a fact cannot be read: its function failed, or its
	// value is too old. It wins over a value in Facts.
	Unavailable map[string]string
	Call        CallInfo
}

// CallInfo is the variable call.
type CallInfo struct {
	Tool        string
	Agent       string
	Environment string
	Session     string
	Time        time.Time
}

func (c CallInfo) value() strictjson.Value {
	return strictjson.MapValue(strictjson.Object, []strictjson.Member{
		{Name: "agent", Value: strictjson.StringValue(c.Agent)},
		{Name: "environment", Value: strictjson.StringValue(c.Environment)},
		{Name: "session", Value: strictjson.StringValue(c.Session)},
		{Name: "time", Value: strictjson.TimestampValue(c.Time)},
		{Name: "tool", Value: strictjson.StringValue(c.Tool)},
	})
}

// ErrorKind says why an expression has no value.
type ErrorKind uint8

const (
	Failed      ErrorKind = iota // the evaluation failed: an operation, or a limit
	Absent                       // a value was read that is not there
	Unavailable                  // a fact was read that could not be had
)

// EvalError is the error of an evaluation.
type EvalError struct {
	Kind ErrorKind
	// Path is what was read in vain; empty for Failed, and for a member of a
	// computed value.
	Path Path
	// Message is for people. It holds neither CEL source nor argument values.
	Message string
}

func (e *EvalError) Error() string { return e.Message }

// Bool evaluates an expression compiled for Bool on a frame of its layout. Any
// error is an [*EvalError], and comes with false.
func (p *Program) Bool(f *Frame) (bool, error) {
	out, err := p.evalFrame(f)
	if err != nil {
		return false, err
	}
	b, ok := out.(types.Bool)
	if !ok {
		return false, &EvalError{Message: "the expression does not yield a bool"}
	}
	return bool(b), nil
}

// Int evaluates an expression compiled for Int on a frame of its layout. Any
// error is an [*EvalError], and comes with 0.
func (p *Program) Int(f *Frame) (int64, error) {
	out, err := p.evalFrame(f)
	if err != nil {
		return 0, err
	}
	i, ok := out.(types.Int)
	if !ok {
		return 0, &EvalError{Message: "the expression does not yield an int"}
	}
	return int64(i), nil
}

// Constant returns the value of a Bool expression that reads nothing; ok is
// false for any other, and for one whose evaluation fails.
func (p *Program) Constant() (value, ok bool) {
	if p == nil {
		return false, false
	}
	b, ok := p.constant.(types.Bool)
	return bool(b), ok
}

func (p *Program) evalFrame(f *Frame) (ref.Val, error) {
	if p == nil || f == nil || f.layout != p.env.layout {
		return nil, &EvalError{Message: "there is nothing to evaluate"}
	}
	in, err := f.whole()
	if err != nil {
		return nil, &EvalError{Message: "the arguments could not be read"}
	}
	return p.eval(in)
}

func (p *Program) eval(in *Input) (out ref.Val, err error) {
	if p == nil || p.reference == nil || in == nil {
		return nil, &EvalError{Message: "there is nothing to evaluate"}
	}
	if p.constant != nil {
		return p.constant, nil
	}
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, &EvalError{Message: "the evaluation failed unexpectedly"}
		}
	}()
	vars := &activation{types: p.env.types, in: in}
	if out, err = p.run(vars); vars.failed != nil {
		return nil, vars.failed
	}
	if err != nil {
		return nil, failure(err)
	}
	return out, nil
}

func (p *Program) run(vars *activation) (ref.Val, error) {
	if !p.loops {
		out, _, err := p.reference.Eval(vars)
		return out, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	out, _, err := p.reference.ContextEval(ctx, vars)
	if ctx.Err() != nil { // an expression absorbs the error of an interrupted loop
		return nil, interpreter.InterruptError{}
	}
	return out, err
}

func (p *Program) plan(checked *cel.Ast) error {
	p.loops = len(ast.MatchDescendants(ast.NavigateAST(p.ast), ast.KindMatcher(ast.ComprehensionKind))) > 0
	var err error
	p.reference, err = p.env.cel.Program(checked,
		cel.CustomDecoratorV2(p.guard),
		cel.CostLimit(maxCost),
		cel.InterruptCheckFrequency(roundsPerCheck),
	)
	return err
}

// fold evaluates an expression that reads nothing once and for all. One that
// reads is never folded, not even in part.
func (p *Program) fold() {
	if len(p.reads) > 0 {
		return
	}
	if out, err := p.eval(&Input{}); err == nil {
		p.constant = out
	}
}

// activation resolves the variables of one evaluation, and keeps the first
// read that failed.
type activation struct {
	types  *provider
	in     *Input
	roots  [4]*object
	failed *EvalError
	read   int // bytes of text
}

// activationName is how a qualifier finds the activation of its evaluation;
// no source can name it.
const activationName = "@evaluation"

// ResolveName implements [interpreter.Activation].
func (a *activation) ResolveName(name string) (any, bool) {
	if name == activationName {
		return a, true
	}
	for i, v := range a.types.variables {
		if v.name != name {
			continue
		}
		if a.roots[i] == nil {
			a.roots[i] = a.root(v)
		}
		return a.roots[i], true
	}
	return nil, false
}

func (a *activation) root(v variable) *object {
	o := &object{of: v.object}
	switch v.name {
	case "args":
		o.value = a.in.Args
	case "derived":
		o.value = a.in.Derived
	case "facts":
		o.value, o.broken = a.in.Facts, a.in.Unavailable
	case "call":
		o.value = a.in.Call.value()
	}
	return o
}

// Parent implements [interpreter.Activation].
func (a *activation) Parent() interpreter.Activation { return nil }

// fail keeps the first failed read; it is the result, whatever the rest of
// the expression makes of the error.
func (a *activation) fail(read *readError, at Path) {
	if a.failed != nil {
		return
	}
	a.failed = &EvalError{Kind: read.kind, Path: at}
	switch {
	case read.kind == Unavailable:
		a.failed.Message = fmt.Sprintf("%s is unavailable: %s", at, orUnknown(read.why))
	case at == "":
		a.failed.Message = "a computed value has no such member"
	case strings.HasSuffix(string(at), "[]"):
		a.failed.Message = fmt.Sprintf("%s has no such element", strings.TrimSuffix(string(at), "[]"))
	default:
		a.failed.Message = fmt.Sprintf("%s is absent", at)
	}
}

func orUnknown(why string) string {
	if why == "" {
		return "no reason given"
	}
	return why
}

// failure says in words what CEL says in its own, leaving out the values that
// CEL quotes.
func failure(err error) *EvalError {
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) {
		return &EvalError{Message: "the evaluation would cost more than the limit"}
	}
	text := err.Error()
	for _, known := range []struct{ cel, message string }{
		{"operation interrupted", "the evaluation took too long"},
		{notFinite, "a result is not a finite number"},
		{"division by zero", "a division by zero"},
		{"modulus by zero", "a division by zero"},
		{"overflow", "a number is out of range"},
		{"range", "a number, index or time is out of range"},
		{"no such overload", "an operation on values of kinds that do not go together"},
		{"conversion", "a value that cannot be converted"},
		{"parsing", "a value that cannot be converted"},
		{"invalid", "a value that is not valid for the operation"},
	} {
		if strings.Contains(text, known.cel) {
			return &EvalError{Message: known.message}
		}
	}
	return &EvalError{Message: "the expression could not be evaluated"}
}
