package celplan

import (
	"errors"
	"math"
	"strings"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// readError is the error of reading what is not there.
type readError struct {
	kind ErrorKind
	why  string
}

func (e *readError) Error() string { return "read in vain" }

// guard puts our rules around a step of cel-go's plan: failed reads end the
// evaluation, maps have an order, doubles stay finite, and work is bounded
// before it is done, where cel-go accounts for it afterwards.
func (p *interpreted) guard(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	switch step := i.(type) {
	case *attribute:
		return step, nil
	case interpreter.InterpretableAttribute:
		return &attribute{InterpretableAttribute: step, at: p.at}, nil
	case interpreter.InterpretableConstructor:
		if step.Type() == types.MapType {
			return &literalMap{InterpretableV2: step}, nil
		}
	case interpreter.InterpretableCall:
		return p.guardCall(step)
	}
	return i, nil
}

// attribute is a variable with selections and indexes, each of which reports
// a failed read to the evaluation.
type attribute struct {
	interpreter.InterpretableAttribute
	at map[int64]Path
}

// shortText is what reading a text costs too little to count, in bytes.
const shortText = 256

// Exec implements [interpreter.InterpretableV2]. CEL counts a text once where
// its functions, and its own accounting, go through all of it: a loop over many
// elements could do so for each.
func (a *attribute) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	out := a.InterpretableAttribute.Exec(frame)
	if text, ok := out.(types.String); ok && len(text) > shortText {
		resolved, _ := frame.ResolveName(activationName)
		evaluation := resolved.(*activation)
		if evaluation.read += len(text); evaluation.read > maxRead {
			exceeded()
		}
	}
	return out
}

// Eval implements [interpreter.Interpretable].
func (a *attribute) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, a.Exec)
}

// AddQualifier implements [interpreter.InterpretableAttribute].
func (a *attribute) AddQualifier(q interpreter.Qualifier) (interpreter.Attribute, error) {
	if constant, ok := q.(interpreter.ConstantQualifier); ok {
		q = &constantRead{ConstantQualifier: constant, at: a.at[q.ID()]}
	} else {
		q = &computedRead{Qualifier: q, at: a.at[q.ID()]}
	}
	if _, err := a.InterpretableAttribute.AddQualifier(q); err != nil {
		return nil, err
	}
	return a, nil
}

// constantRead is a selection, or an index that is a literal.
type constantRead struct {
	interpreter.ConstantQualifier
	at Path
}

// Qualify implements [interpreter.Qualifier].
func (q *constantRead) Qualify(vars interpreter.Activation, from any) (any, error) {
	v, err := q.ConstantQualifier.Qualify(vars, from)
	report(vars, err, q.at)
	return v, err
}

// QualifyIfPresent implements [interpreter.Qualifier].
func (q *constantRead) QualifyIfPresent(vars interpreter.Activation, from any, only bool) (any, bool, error) {
	v, present, err := q.ConstantQualifier.QualifyIfPresent(vars, from, only)
	report(vars, err, q.at)
	return v, present, err
}

// computedRead is an index that is computed.
type computedRead struct {
	interpreter.Qualifier
	at Path
}

// Qualify implements [interpreter.Qualifier].
func (q *computedRead) Qualify(vars interpreter.Activation, from any) (any, error) {
	v, err := q.Qualifier.Qualify(vars, from)
	report(vars, err, q.at)
	return v, err
}

// QualifyIfPresent implements [interpreter.Qualifier].
func (q *computedRead) QualifyIfPresent(vars interpreter.Activation, from any, only bool) (any, bool, error) {
	v, present, err := q.Qualifier.QualifyIfPresent(vars, from, only)
	report(vars, err, q.at)
	return v, present, err
}

// report makes a failed read the outcome of the evaluation. cel-go has no
// exported type for a missing key or index, only these messages.
func report(vars interpreter.Activation, err error, at Path) {
	if err == nil {
		return
	}
	var read *readError
	if !errors.As(err, &read) {
		text := err.Error()
		if !strings.HasPrefix(text, "no such key: ") && !strings.HasPrefix(text, "index out of bounds: ") {
			return
		}
		read = &readError{kind: Absent}
	}
	evaluation, _ := vars.ResolveName(activationName)
	evaluation.(*activation).fail(read, at)
}

// literalMap is a map literal, whose keys cel-go would give in random order.
type literalMap struct{ interpreter.InterpretableV2 }

// Exec implements [interpreter.InterpretableV2].
func (m *literalMap) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	out := m.InterpretableV2.Exec(frame)
	if entries, ok := out.(traits.Mapper); ok {
		return inOrder(entries)
	}
	return out
}

// Eval implements [interpreter.Interpretable].
func (m *literalMap) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, m.Exec)
}

const notFinite = "not a finite number"

// finite is an operation on doubles, whose result must be finite.
type finite struct{ interpreter.InterpretableV2 }

// Exec implements [interpreter.InterpretableV2].
func (f *finite) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	out := f.InterpretableV2.Exec(frame)
	if d, ok := out.(types.Double); ok && (math.IsNaN(float64(d)) || math.IsInf(float64(d), 0)) {
		return types.NewErrFromString(notFinite)
	}
	return out
}

// Eval implements [interpreter.Interpretable].
func (f *finite) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, f.Exec)
}

func (p *interpreted) guardCall(call interpreter.InterpretableCall) (interpreter.InterpretableV2, error) {
	switch call.Function() {
	case operators.Equals, operators.NotEquals:
		return &equality{call: call, lhs: call.Args()[0], rhs: call.Args()[1]}, nil
	case "matches":
		return matching(call)
	}
	var step interpreter.InterpretableV2 = call
	if weigh, ok := weigher(call.Function()); ok && !isScalarSum(call) {
		bounded, err := p.bounded(call, weigh)
		if err != nil {
			return nil, err
		}
		step = bounded
	}
	if computesDouble(call) {
		step = &finite{InterpretableV2: step}
	}
	return step, nil
}

// computesDouble reports whether a call may yield a double that no argument
// was: its overload says so, or is only known at evaluation.
func computesDouble(call interpreter.InterpretableCall) bool {
	switch call.Function() {
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Negate, "double":
		return call.OverloadID() == "" || strings.Contains(call.OverloadID(), "double")
	}
	return false
}
