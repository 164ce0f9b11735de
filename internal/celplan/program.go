package celplan

import (
	"time"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// Program is a compiled expression. It is immutable and safe for concurrent
// use. The zero Program fails.
type Program struct {
	layout   *Layout // what an evaluation looks at comes first
	native   *native // nil where the expression falls back to cel-go
	want     strictjson.Kind
	constant verdict // of an expression that reads nothing

	interpreted *interpreted // nil where native serves alone
	why         string       // it falls back
	env         *Env
	src         string
	reads       []read
}

// verdict is the value of a Bool expression, where it is known.
type verdict uint8

const (
	unknown verdict = iota
	holdsNot
	holds
)

// Input is what one evaluation reads. The zero value of a variable has no
// members. Input is not changed, and may be shared.
type Input struct {
	// Args, Derived, Facts and Event are Objects; a member that is missing or
	// Invalid is absent.
	Args    strictjson.Value
	Derived strictjson.Value
	Facts   strictjson.Value
	Event   strictjson.Value
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
	if p == nil || p.native == nil || f == nil || f.layout != p.layout || p.native.slots > len(f.vals) {
		return p.otherBool(f)
	}
	n := p.native
	switch i := n.chain.fast(f, 0); {
	case i == stopped:
		return n.chain.stop, nil
	case i < len(n.chain.clauses):
		return n.bool(f, i)
	}
	return !n.chain.stop, nil
}

// otherBool is [Program.Bool] where the native program cannot serve.
func (p *Program) otherBool(f *Frame) (bool, error) {
	if p == nil || p.native == nil {
		return p.ReferenceBool(f)
	}
	return false, nothing()
}

// Int evaluates an expression compiled for Int on a frame of its layout. Any
// error is an [*EvalError], and comes with 0.
func (p *Program) Int(f *Frame) (int64, error) {
	if p == nil || p.native == nil || p.want != strictjson.Int {
		return p.ReferenceInt(f)
	}
	if f == nil || f.layout != p.layout {
		return 0, nothing()
	}
	if n := p.native; n.less != nil && n.slots <= len(f.vals) {
		if i, ok := n.less.of(f); ok {
			return i, nil
		}
	}
	return p.native.int(f)
}

// Text evaluates an expression compiled for String on a frame of its layout. Any
// error is an [*EvalError], and comes with the empty text.
func (p *Program) Text(f *Frame) (string, error) {
	if p == nil || p.native == nil || p.want != strictjson.String {
		return p.ReferenceText(f)
	}
	if f == nil || f.layout != p.layout {
		return "", nothing()
	}
	return p.native.text(f)
}

// Native reports whether the expression is evaluated natively, and why not.
func (p *Program) Native() (ok bool, why string) {
	if p == nil {
		return false, "there is no expression"
	}
	return p.native != nil, p.why
}

// Constant returns the value of a Bool expression that reads nothing; ok is
// false for any other, and for one whose evaluation fails.
func (p *Program) Constant() (value, ok bool) {
	if p == nil || p.constant == unknown {
		return false, false
	}
	return p.constant == holds, true
}

// fold evaluates an expression that reads nothing once and for all.
func (p *Program) fold() {
	if len(p.reads) > 0 || p.want != strictjson.Bool {
		return
	}
	f := new(Frame)
	f.Begin(p.env.layout)
	f.Load(&Input{})
	switch value, err := p.Bool(f); {
	case err != nil:
	case value:
		p.constant = holds
	default:
		p.constant = holdsNot
	}
}

func nothing() *EvalError { return &EvalError{Message: "there is nothing to evaluate"} }
