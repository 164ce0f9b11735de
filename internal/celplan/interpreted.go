package celplan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// A second net under the cost limit, for expressions that loop: how long an
// evaluation may take, and after how many rounds of a loop that is checked.
// The cost limit comes first by far, so that results do not depend on time.
const (
	maxDuration    = 10 * time.Second
	roundsPerCheck = 100
)

// What is said of an evaluation that exceeds a limit.
const (
	tooMuch = "the evaluation would cost more than the limit"
	tooLong = "the evaluation took too long"
)

// interpreted is an expression as cel-go evaluates it, with our rules around
// its steps. It is immutable.
type interpreted struct {
	program  cel.Program
	types    *provider
	impls    map[string]*functions.Overload
	at       map[int64]Path // of selections and indexes, by id
	loops    bool
	patience time.Duration // for one evaluation, where it loops
}

func (c *checker) interpret(checked *cel.Ast, at map[int64]Path) (*interpreted, error) {
	whole, err := c.whole()
	if err != nil {
		return nil, err
	}
	p := &interpreted{types: c.types, impls: whole.impls, at: at, patience: maxDuration}
	p.loops = loops(checked.NativeRep().Expr())
	p.program, err = whole.cel.Program(checked,
		cel.CustomDecoratorV2(p.guard),
		cel.CostLimit(maxCost),
		cel.InterruptCheckFrequency(roundsPerCheck),
	)
	return p, err
}

// ReferenceBool is [Program.Bool] with cel-go, for a program that falls back
// to it, or was compiled to keep it.
func (p *Program) ReferenceBool(f *Frame) (bool, error) {
	out, err := p.refer(f)
	if err != nil {
		return false, err
	}
	b, ok := out.(types.Bool)
	if !ok {
		return false, &EvalError{Message: "the expression does not yield a bool"}
	}
	return bool(b), nil
}

// ReferenceText is [Program.Text] with cel-go, for a program that falls back to
// it, or was compiled to keep it.
func (p *Program) ReferenceText(f *Frame) (string, error) {
	out, err := p.refer(f)
	if err != nil {
		return "", err
	}
	s, ok := out.(types.String)
	if !ok {
		return "", &EvalError{Message: "the expression does not yield a string"}
	}
	return string(s), nil
}

// ReferenceInt is [Program.Int] with cel-go, for a program that falls back to
// it, or was compiled to keep it.
func (p *Program) ReferenceInt(f *Frame) (int64, error) {
	out, err := p.refer(f)
	if err != nil {
		return 0, err
	}
	i, ok := out.(types.Int)
	if !ok {
		return 0, &EvalError{Message: "the expression does not yield an int"}
	}
	return int64(i), nil
}

func (p *Program) refer(f *Frame) (ref.Val, error) {
	if p == nil || p.interpreted == nil || f == nil || f.layout != p.env.layout {
		return nil, nothing()
	}
	in, err := f.whole()
	if err != nil {
		return nil, &EvalError{Message: "the arguments could not be read"}
	}
	return p.interpreted.eval(in)
}

func (p *interpreted) eval(in *Input) (out ref.Val, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, &EvalError{Message: "the evaluation failed unexpectedly"}
		}
	}()
	vars := &activation{types: p.types, in: in}
	if out, err = p.run(vars); vars.failed != nil {
		return nil, vars.failed
	}
	if err != nil {
		return nil, failure(err)
	}
	return out, nil
}

func (p *interpreted) run(vars *activation) (ref.Val, error) {
	if !p.loops {
		out, _, err := p.program.Eval(vars)
		return out, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	out, _, err := p.program.ContextEval(ctx, vars)
	if ctx.Err() != nil { // an expression absorbs the error of an interrupted loop
		return nil, interpreter.InterruptError{}
	}
	return out, err
}

// activation resolves the variables of one evaluation, and keeps the first
// read that failed.
type activation struct {
	types  *provider
	in     *Input
	roots  [5]*object
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
	case "event":
		o.value = a.in.Event
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
	if a.failed == nil {
		a.failed = readFailure(read, at)
	}
}

func readFailure(read *readError, at Path) *EvalError {
	failed := &EvalError{Kind: read.kind, Path: at}
	switch {
	case read.kind == Unavailable:
		failed.Message = fmt.Sprintf("%s is unavailable: %s", at, orUnknown(read.why))
	case at == "":
		failed.Message = "a computed value has no such member"
	case strings.HasSuffix(string(at), "[]"):
		failed.Message = fmt.Sprintf("%s has no such element", strings.TrimSuffix(string(at), "[]"))
	default:
		failed.Message = fmt.Sprintf("%s is absent", at)
	}
	return failed
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
		return &EvalError{Message: tooMuch}
	}
	text := err.Error()
	for _, known := range []struct{ cel, message string }{
		{"operation interrupted", tooLong},
		{notFinite, "a result is not a finite number"},
		{"invalid RFC 3339 timestamp", "a value that is not valid for the operation"}, // and then quotes a value
		{"unknown time zone", "the expression could not be evaluated"},                // so does this
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
