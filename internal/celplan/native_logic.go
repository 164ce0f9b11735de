package celplan

import (
	"cel.dev/cel-go/common/ast"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// logic returns the chain of a conjunction or disjunction, into which those of
// the same kind among its operands are spliced. That changes nothing: the
// order stays, and so does which fault is the first. Left out are operands that
// change nothing, and those after one that ends the evaluation.
func (c *nativeCompiler) logic(operands []ast.Expr, in *scope, disjunction bool) *node {
	chained := &chain{stop: disjunction}
	var nodes []*node
	for _, operand := range operands {
		n := c.compile(operand, in)
		nodes = append(nodes, n)
		ends := n.constant.Kind() == strictjson.Bool && n.constant.Bool() == disjunction
		switch {
		case n.constant.Kind() == strictjson.Bool && !ends && !c.unfolded:
			continue
		case n.chain != nil && n.chain.stop == disjunction:
			for i := range n.chain.clauses {
				chained.append(n.chain.instruction(i))
			}
		default:
			chained.append(n.instruction())
		}
		if ends && !c.unfolded {
			break
		}
	}
	if c.why != "" {
		return nodes[0]
	}
	if len(chained.clauses) == 0 {
		return c.foldTo(boolNode(always(!disjunction)), nodes...)
	}
	return c.foldTo(chained.node(), nodes...)
}

func (ch *chain) node() *node {
	n := boolNode(ch.run)
	if len(ch.clauses) > 1 || ch.clauses[0].op == opCall {
		n.chain = ch
		return n
	}
	k := ch.instruction(0)
	n.bools, n.clause = k.slow, &k
	return n
}

// instruction returns the instruction of a node that should be a bool.
func (n *node) instruction() instruction {
	var k instruction
	switch {
	case n.clause != nil:
		k = *n.clause
	case n.slot >= 0 && n.kind == strictjson.Bool:
		k.of(opBool, n.slot)
	}
	k.slow = n.asBool()
	return k
}

// not returns the node of a negation.
func (c *nativeCompiler) not(operand *node) *node {
	of := operand.asBool()
	n := boolNode(func(f *Frame) (bool, fault) {
		b, failed := of(f)
		return !b && failed == 0, failed.settled()
	})
	if k := operand.instruction(); k.op != opCall {
		k.not = !k.not
		n.clause = &k
	}
	return n
}

// conditional returns the node of c ? a : b. Of a condition that fails the
// fault is the result.
func (c *nativeCompiler) conditional(e ast.Expr, in *scope) *node {
	args := e.AsCall().Args()
	condition, yes, no := c.compile(args[0], in), c.compile(args[1], in), c.compile(args[2], in)
	if c.why != "" {
		return condition
	}
	t := c.typeOf(e)
	for _, branch := range []*node{yes, no} {
		if !c.sameObjects(branch.typ, t) {
			return c.unsupported("an object as a value of any type")
		}
	}
	if condition.isConstant() && !c.unfolded && condition.constant.Kind() == strictjson.Bool {
		if condition.constant.Bool() {
			return yes
		}
		return no
	}
	when := condition.asBool()
	if !yes.exact || !no.exact || yes.kind != no.kind {
		n := anyNode(t, choose(when, yes.asAny(), no.asAny()))
		n.loose = yes.loose || no.loose || !yes.typ.IsExactType(t) || !no.typ.IsExactType(t)
		return n
	}
	switch yes.kind {
	case strictjson.Bool:
		return boolNode(choose(when, yes.asBool(), no.asBool()))
	case strictjson.Int:
		return intNode(choose(when, yes.asInt(), no.asInt()))
	case strictjson.Duration:
		return durationNode(choose(when, yes.asDuration(), no.asDuration()))
	case strictjson.Uint:
		return uintNode(choose(when, yes.asUint(), no.asUint()))
	case strictjson.Double:
		return doubleNode(choose(when, yes.asDouble(), no.asDouble()))
	case strictjson.String:
		return textNode(choose(when, yes.asText(), no.asText()))
	case strictjson.Bytes:
		return bytesNode(choose(when, yes.asBytes(), no.asBytes()))
	case strictjson.Timestamp:
		return timeNode(choose(when, yes.asTime(), no.asTime()))
	}
	return anyNode(t, choose(when, yes.asAny(), no.asAny()))
}

func choose[T any](when fn[bool], yes, no fn[T]) fn[T] {
	return func(f *Frame) (none T, failed fault) {
		b, failed := when(f)
		switch {
		case failed != 0:
			return none, failed.settled()
		case b:
			return yes(f)
		}
		return no(f)
	}
}
