package celplan

// fault says why a step of a native program has no value; zero: it has one.
// Faults below limitFault follow CEL: `&&` and `||` absorb them. Those from it
// on end the evaluation, whatever the rest of the expression says.
type fault uint32

const (
	_               fault = iota
	divisionFault         // by zero
	overflowFault         // a number or time out of range
	rangeFault            // an index, or an hour of a zone, out of range
	overloadFault         // kinds that do not go together
	conversionFault       // a value that cannot be converted
	invalidFault          // a value that is not valid for the operation
	notFiniteFault        // a double that is NaN or infinite
	valueFault            // anything else that CEL calls an error
	unfitFault            // an operand is of another kind: an overloadFault, once the others are evaluated

	limitFault // the evaluation would cost too much
	readFault  // readFault + i: places[i] of the program was read in vain
)

// final reports whether nothing absorbs the fault.
func (f fault) final() bool { return f >= limitFault }
