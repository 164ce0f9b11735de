package celplan

import (
	"maps"
	"slices"
	"strings"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// Selector returns the slot, and the strings, ints or bools, of which the
// expression first asks whether the one is among the others: `args.kind == 'a'`,
// `args.kind in ['a', 'b']`, or such conditions on texts of one slot joined by
// ||, alone or before `&& …`. ok is false where the expression begins
// otherwise, or is not evaluated natively.
//
// Then the expression is an error where the slot is empty, and false where it
// holds none of the values; it reads nothing else in either case. Where it
// holds one of them, the rest of the expression decides.
func (p *Program) Selector() (slot int, values []strictjson.Value, ok bool) {
	if p == nil || p.native == nil {
		return -1, nil, false
	}
	ch := &p.native.chain
	if len(ch.clauses) > 1 && ch.stop {
		return -1, nil, false
	}
	first := &ch.clauses[0]
	if values = first.selects(first.stops != ch.stop); values == nil {
		return -1, nil, false
	}
	return int(first.at / sizeOfSlot), values, true
}

// selects returns the values of which an instruction asks whether its slot
// holds one, and which nothing else can equal; nil where it asks otherwise.
func (k *clause) selects(not bool) (values []strictjson.Value) {
	switch {
	case k.op == opBool && k.relation == whereEqual:
		return []strictjson.Value{strictjson.BoolValue(!not)}
	case not:
		return nil
	case k.op == opIntRange && k.b == 0 && k.relation == whereEqual:
		return []strictjson.Value{strictjson.IntValue(k.a)}
	case k.op == opIntIn:
		for _, i := range k.set.ints {
			values = append(values, strictjson.IntValue(i))
		}
	case k.op == opTextIn:
		for i := range k.set.few {
			values = append(values, strictjson.StringValue(k.set.few[i].text))
		}
		for _, text := range slices.Sorted(maps.Keys(k.set.many)) {
			values = append(values, strictjson.StringValue(text))
		}
	}
	return values
}

// Shown is a value that a record shows of what an expression refers to.
type Shown struct {
	Path Path     // up to the first list element
	Slot int      // that leads to it; -1: none does, so it is absent
	Rest []string // members from there
}

// Shown returns where the values of [Program.Readings] are found in any frame,
// in the same order.
func (p *Program) Shown() []Shown {
	if p == nil {
		return nil
	}
	shown := make([]Shown, len(p.reads))
	for i, r := range p.reads {
		shown[i] = Shown{Path: r.shown, Slot: int(r.slot), Rest: r.rest}
	}
	slices.SortStableFunc(shown, func(a, b Shown) int { return strings.Compare(string(a.Path), string(b.Path)) })
	return slices.CompactFunc(shown, func(a, b Shown) bool { return a.Path == b.Path })
}

// LimitExceeded reports whether an evaluation ended because it would have cost
// too much.
func LimitExceeded(err error) bool {
	e, ok := err.(*EvalError)
	return ok && (e.Message == tooMuch || e.Message == tooLong)
}
