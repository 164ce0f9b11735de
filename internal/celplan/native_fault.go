package celplan

import (
	"github.com/ambit-go/ambit/internal/strictjson"
)

// failure returns the error of a fault, as the cel-go path has it.
func (n *native) failure(f *Frame, failed fault) *EvalError {
	switch failed {
	case divisionFault:
		return &EvalError{Message: "a division by zero"}
	case overflowFault:
		return &EvalError{Message: "a number is out of range"}
	case rangeFault:
		return &EvalError{Message: "a number, index or time is out of range"}
	case overloadFault:
		return &EvalError{Message: "an operation on values of kinds that do not go together"}
	case conversionFault:
		return &EvalError{Message: "a value that cannot be converted"}
	case invalidFault:
		return &EvalError{Message: "a value that is not valid for the operation"}
	case notFiniteFault:
		return &EvalError{Message: "a result is not a finite number"}
	case limitFault:
		return &EvalError{Message: tooMuch}
	case noBool:
		return &EvalError{Message: "the expression does not yield a bool"}
	case noInt:
		return &EvalError{Message: "the expression does not yield an int"}
	case noText:
		return &EvalError{Message: "the expression does not yield a string"}
	case panicked:
		return &EvalError{Message: "the evaluation failed unexpectedly"}
	}
	if failed < readFault || int(failed-readFault) >= len(n.places) {
		return &EvalError{Message: "the expression could not be evaluated"}
	}
	return n.places[failed-readFault].failure(f)
}

func (p *nativePlace) failure(f *Frame) *EvalError {
	if why, broken := f.Unavailable(p.slot); broken {
		return readFailure(&readError{kind: Unavailable, why: why}, p.path)
	}
	if p.names != nil {
		return readFailure(&readError{kind: Absent}, p.absent(f))
	}
	return readFailure(&readError{kind: Absent}, p.path)
}

// absent returns the first part of a path that is not there.
func (p *nativePlace) absent(f *Frame) Path {
	in, err := f.whole()
	if err != nil {
		return p.path
	}
	v, at := in.Args, place{steps: []step{{name: "args"}}}
	for _, name := range p.names {
		at = at.then(step{name: name})
		if v, _ = v.Get(name); v.Kind() == strictjson.Invalid {
			return at.path()
		}
	}
	return p.path
}
