package celplan

import (
	"math"
	"slices"
	"unsafe"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// chain is a conjunction or a disjunction, as a loop over instructions. It is
// immutable once compiled. The zero chain is an empty conjunction.
type chain struct {
	clauses []clause
	stop    bool // what ends it: false a conjunction, true a disjunction
}

// opcode says what an instruction does with the values of its slots.
type opcode uint8

const (
	opCall        opcode = iota // slow
	opBool                      // the value
	opHas                       // whether there is one
	opIntRange                  // a ≤ int ≤ a + b, unsigned
	opIntIn                     // int in set
	opIntSlots                  // int relation int of slot2
	opIntScaled                 // int relation int of slot2 * a, which is from b to b + c
	opIntMoved                  // int relation int of slot2 + a, which is from b to b + c
	opSizeRange                 // a ≤ size of a list or map ≤ a + b, unsigned
	opDoubleRange               // a ≤ double ≤ b, of the bits
	opDoubleSlots               // double relation double of slot2
	opTextIn                    // string in set
	opPrefix                    // string begins with one of which a and b are the ends, and c the length
	opSuffix                    // string ends with such
)

// clause is one instruction, of one cache line. It serves values of the kind
// that was declared; for any other, and to say what is wrong, it calls slow,
// which does the same.
type clause struct {
	slow     fn[bool]
	a, b, c  int64
	set      *constantSet
	at, at2  uint32 // of the values of the slots, in bytes
	op       opcode
	quick    opcode // op, where fast has it written out
	relation relation3
	stops    bool // the result without not that ends the chain
	_        [8]byte
}

// instruction is a clause before it is part of a chain.
type instruction struct {
	clause
	not bool // the result is negated; that of slow is not
}

// sizeOfSlot is how far apart the values of two slots are, in bytes.
const sizeOfSlot = uint32(unsafe.Sizeof(strictjson.Value{}))

// of sets the slots and the operation of an instruction.
func (k *instruction) of(op opcode, slots ...int) {
	k.op = op
	k.at = uint32(slots[0]) * sizeOfSlot
	if len(slots) > 1 {
		k.at2 = uint32(slots[1]) * sizeOfSlot
	}
}

// ofText is of, for a text that should begin or end with another.
func (k *instruction) ofText(op opcode, slot int, text string) {
	k.of(op, slot)
	k.a, k.b = endsOf(text)
	k.c = int64(len(text))
}

// append adds an instruction, or makes one of it and the one before.
func (ch *chain) append(k instruction) {
	k.stops, k.quick = ch.stop != k.not, opCall
	if n := len(ch.clauses); n > 0 && (!ch.stop && ch.clauses[n-1].narrow(k.clause) || ch.stop && ch.clauses[n-1].widen(k.clause)) {
		return
	}
	switch k.op {
	case opHas, opBool:
		k.quick = k.op
	case opIntRange, opDoubleRange, opIntScaled:
		if !k.stops {
			k.quick = k.op
		}
	case opTextIn:
		if !k.stops && k.set.many == nil {
			k.quick = k.op
		}
	}
	ch.clauses = append(ch.clauses, k.clause)
}

// narrow makes one instruction of two neighbours in a conjunction, where both
// are ranges of one slot.
func (k *clause) narrow(next clause) bool {
	if k.op != next.op || k.at != next.at || k.stops || next.stops {
		return false
	}
	switch k.op {
	case opIntRange, opSizeRange:
		from, to := max(k.a, next.a), min(k.a+k.b, next.a+next.b)
		if from > to {
			return false
		}
		k.a, k.b = from, to-from
	case opDoubleRange:
		k.a = bitsOf(max(doubleOf(k.a), doubleOf(next.a)))
		k.b = bitsOf(min(doubleOf(k.b), doubleOf(next.b)))
	default:
		return false
	}
	k.slow = joined(k.slow, next.slow, false)
	return true
}

// widen makes one instruction of two neighbours in a disjunction, where both
// ask whether one slot holds a text.
func (k *clause) widen(next clause) bool {
	if k.op != opTextIn || next.op != opTextIn || k.at != next.at || !k.stops || !next.stops {
		return false
	}
	k.set = k.set.with(next.set)
	k.slow = joined(k.slow, next.slow, true)
	return true
}

// joined is a conjunction or disjunction of two.
func joined(first, second fn[bool], stop bool) fn[bool] {
	ch := &chain{stop: stop, clauses: []clause{{slow: first}, {slow: second}}}
	return ch.run
}

func doubleOf(bits int64) float64 { return math.Float64frombits(uint64(bits)) }
func bitsOf(d float64) int64      { return int64(math.Float64bits(d)) }

// instruction returns instruction i as it was appended.
func (ch *chain) instruction(i int) instruction {
	return instruction{clause: ch.clauses[i], not: ch.clauses[i].stops != ch.stop}
}

// run evaluates the instructions from first to last. The one whose result
// stops the chain decides it. A final fault ends it; of the others the first
// is the result, if nothing stops it. The frame must have all slots.
func (ch *chain) run(f *Frame) (bool, fault) {
	switch i := ch.fast(f, 0); {
	case i == stopped:
		return ch.stop, 0
	case i < len(ch.clauses):
		return ch.resume(f, i)
	}
	return !ch.stop, 0
}

// resume is run from instruction i on, which is slow.
func (ch *chain) resume(f *Frame, i int) (bool, fault) {
	var first fault
	for {
		b, failed := ch.clauses[i].slow(f)
		switch {
		case failed == 0:
			if b == ch.stop {
				return ch.stop, 0
			}
		case failed.final():
			return false, failed
		case first == 0:
			first = failed.settled()
		}
		switch i = ch.fast(f, i+1); i {
		case stopped:
			return ch.stop, 0
		case len(ch.clauses):
			return !ch.stop && first == 0, first
		}
	}
}

// stopped is what fast returns when an instruction stops the chain.
const stopped = -1

// fast evaluates instructions from i on while their values are of the kinds
// that they serve. It returns the one to go on with, the number of all at the
// end, or that one stopped the chain. It calls nothing that could panic. The
// frame must have all slots.
//
// What rules are mostly made of is written out here, and leaves nothing to
// check that does not have to be; the rest is in [clause.test].
func (ch *chain) fast(f *Frame, i int) int {
	vals := unsafe.Pointer(unsafe.SliceData(f.vals))
	for ; i < len(ch.clauses); i++ {
		k := (*clause)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(ch.clauses)), uintptr(i)*unsafe.Sizeof(clause{})))
		v := (*strictjson.Value)(unsafe.Add(vals, k.at))
		switch op := k.quick; {
		case op == opIntRange:
			if v.Kind() != strictjson.Int {
				return i
			}
			if uint64(v.Bits()-k.a) > uint64(k.b) {
				return stopped
			}
		case op == opTextIn:
			if v.Kind() != strictjson.String || v.Bits() > shortText {
				return i
			}
			n := int(v.Bits())
			var first, last int64
			if n >= 8 {
				first, last = load8(v.Bytes()), load8(unsafe.Add(v.Bytes(), n-8))
			} else {
				first, last = endsOf(unsafe.String((*byte)(v.Bytes()), n))
			}
			if !k.set.find(first, last, n) {
				return stopped
			}
			if n > sizeOfEnds {
				return i
			}
		case op == opDoubleRange:
			if v.Kind() != strictjson.Double {
				return i
			}
			if d := doubleOf(v.Bits()); !(d >= doubleOf(k.a) && d <= doubleOf(k.b)) {
				return stopped
			}
		case op == opIntScaled:
			w := (*strictjson.Value)(unsafe.Add(vals, k.at2))
			if v.Kind() != strictjson.Int || w.Kind() != strictjson.Int || uint64(w.Bits()-k.b) > uint64(k.c) {
				return i
			}
			if !k.relation.ints(v.Bits(), w.Bits()*k.a) {
				return stopped
			}
		default:
			holds, served := v.Kind() != strictjson.Invalid, true
			switch {
			case op == opHas:
			case op == opBool:
				holds, served = v.Bits() != 0, v.Kind() == strictjson.Bool
			case k.op == opCall:
				return i
			default:
				holds, served = k.test(v, vals)
			}
			if !served {
				return i
			}
			if holds == k.stops {
				return stopped
			}
		}
	}
	return i
}

// test evaluates an instruction, if the values are of the kinds that it
// serves.
func (k *clause) test(v *strictjson.Value, vals unsafe.Pointer) (holds, served bool) {
	w := (*strictjson.Value)(unsafe.Add(vals, k.at2))
	switch k.op {
	case opIntRange:
		return uint64(v.Bits()-k.a) <= uint64(k.b), v.Kind() == strictjson.Int
	case opSizeRange:
		return uint64(int64(v.Len())-k.a) <= uint64(k.b), v.Kind() == strictjson.List || v.Kind() == strictjson.Map
	case opIntIn:
		return v.Kind() == strictjson.Int && slices.Contains(k.set.ints, v.Bits()), v.Kind() == strictjson.Int
	case opDoubleRange:
		d := doubleOf(v.Bits())
		return d >= doubleOf(k.a) && d <= doubleOf(k.b), v.Kind() == strictjson.Double
	case opDoubleSlots:
		both := v.Kind() == strictjson.Double && w.Kind() == strictjson.Double
		return k.relation.doubles(doubleOf(v.Bits()), doubleOf(w.Bits())), both
	case opIntSlots:
		return k.relation.ints(v.Bits(), w.Bits()), v.Kind() == strictjson.Int && w.Kind() == strictjson.Int
	case opIntScaled, opIntMoved:
		if v.Kind() != strictjson.Int || w.Kind() != strictjson.Int || uint64(w.Bits()-k.b) > uint64(k.c) {
			return false, false
		}
		if k.op == opIntScaled {
			return k.relation.ints(v.Bits(), w.Bits()*k.a), true
		}
		return k.relation.ints(v.Bits(), w.Bits()+k.a), true
	case opTextIn, opPrefix, opSuffix:
		if v.Kind() != strictjson.String || v.Bits() > shortText || k.set != nil && k.set.many != nil {
			return false, false
		}
		return k.testText(v.Str())
	}
	return false, false
}

func (k *clause) testText(s string) (holds, served bool) {
	switch k.op {
	case opPrefix:
		s = s[:min(len(s), int(k.c))]
	case opSuffix:
		s = s[max(0, len(s)-int(k.c)):]
	}
	first, last := endsOf(s)
	if k.op == opTextIn {
		holds = k.set.find(first, last, len(s))
	} else {
		holds = first == k.a && last == k.b && len(s) == int(k.c)
	}
	return holds, !holds || len(s) <= sizeOfEnds // else what is between the ends is still to be compared
}

// relation3 holds a bit for each of less, equal and greater.
type relation3 uint8

const (
	whereLess relation3 = 1 << iota
	whereEqual
	whereGreater
)

func (r relation3) ints(a, b int64) bool {
	switch {
	case a < b:
		return r&whereLess != 0
	case a == b:
		return r&whereEqual != 0
	}
	return r&whereGreater != 0
}

// doubles is false for NaN.
func (r relation3) doubles(a, b float64) bool {
	switch {
	case a < b:
		return r&whereLess != 0
	case a == b:
		return r&whereEqual != 0
	case a > b:
		return r&whereGreater != 0
	}
	return false
}
