package celplan

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// textFunction returns the node of a function on text, or on the size of any
// value; nil: it is none.
func (c *nativeCompiler) textFunction(name string, args []*node) *node {
	switch {
	case name == "size" && len(args) == 1:
		return sizeOf(args[0])
	case name == "join" && len(args) <= 2:
		return joining(args)
	case name == "matches" && len(args) == 2:
		return c.matching(args[0], args[1])
	case len(args) == 0:
		return nil
	}
	switch s := args[0].asText(); name {
	case "contains", "startsWith", "endsWith":
		return textTest(name, args[0], args[1])
	case "lowerAscii":
		return counted(unary(s, func(s string) (string, fault) { return lowerASCII(s), 0 }))
	case "upperAscii":
		return counted(unary(s, func(s string) (string, fault) { return upperASCII(s), 0 }))
	case "trim":
		return counted(unary(s, func(s string) (string, fault) { return trim(s), 0 }))
	case "charAt":
		return counted(compute(s, args[1].asInt(), charAt))
	case "substring":
		if len(args) == 2 {
			return counted(compute(s, args[1].asInt(), substringFrom))
		}
		return counted(compute3(s, args[1].asInt(), args[2].asInt(), substring))
	case "indexOf", "lastIndexOf":
		return search(name, s, args)
	case "replace":
		return replacement(s, args)
	case "split":
		return c.splitting(s, args)
	}
	return nil
}

// counted is the node of a text that is computed.
func counted(of fn[string]) *node {
	return textNode(func(f *Frame) (string, fault) {
		s, failed := of(f)
		if failed == 0 {
			failed = f.reads(s)
		}
		return s, failed.settled()
	})
}

// pair is two operands as one.
type pair[A, B any] struct {
	a A
	b B
}

func both[A, B any](a fn[A], b fn[B]) fn[pair[A, B]] {
	return func(f *Frame) (p pair[A, B], failed fault) {
		if p.a, failed = a(f); failed != 0 {
			if failed == unfitFault {
				if _, other := b(f); other != 0 {
					failed = other
				}
			}
			return p, failed
		}
		p.b, failed = b(f)
		return p, failed
	}
}

func compute3[A, B, C, R any](a fn[A], b fn[B], c fn[C], of func(A, B, C) (R, fault)) fn[R] {
	return compute(both(a, b), c, func(p pair[A, B], z C) (R, fault) { return of(p.a, p.b, z) })
}

func sizeOf(a *node) *node {
	switch {
	case a.exact && a.kind == strictjson.String:
		return intNode(unary(a.asText(), func(s string) (int64, fault) { return sizeOfText(s), 0 }))
	case a.slot < 0:
		return intNode(unary(a.asAny(), sizeOfValue))
	}
	slot, slow := a.slot, unary(a.asAny(), sizeOfValue)
	n := intNode(func(f *Frame) (int64, fault) {
		switch v := &f.vals[slot]; v.Kind() {
		case strictjson.List, strictjson.Map:
			return int64(v.Len()), 0
		}
		return slow(f)
	})
	n.sizeOf = 1 + slot
	return n
}

// textTest is contains, startsWith or endsWith.
func textTest(name string, of, arg *node) *node {
	test, op := strings.Contains, opCall
	switch name {
	case "startsWith":
		test, op = strings.HasPrefix, opPrefix
	case "endsWith":
		test, op = strings.HasSuffix, opSuffix
	}
	n := boolNode(compute(of.asText(), arg.asText(), func(s, part string) (bool, fault) { return test(s, part), 0 }))
	if op != opCall && of.slot >= 0 && of.kind == strictjson.String && arg.constant.Kind() == strictjson.String {
		n.clause = new(instruction)
		n.clause.ofText(op, of.slot, arg.constant.Str())
	}
	return n
}

func search(name string, s fn[string], args []*node) *node {
	sub := args[1].asText()
	switch {
	case name == "indexOf" && len(args) == 2:
		return intNode(compute(s, sub, func(s, sub string) (int64, fault) { return indexOf(s, sub, 0) }))
	case name == "indexOf":
		return intNode(compute3(s, sub, args[2].asInt(), indexOf))
	case len(args) == 2:
		return intNode(compute(s, sub, lastIndexOf))
	}
	return intNode(compute3(s, sub, args[2].asInt(), lastIndexOfFrom))
}

func replacement(s fn[string], args []*node) *node {
	old, with := args[1].asText(), args[2].asText()
	count := always(int64(-1))
	if len(args) == 4 {
		count = args[3].asInt()
	}
	return counted(compute(both(s, old), both(with, count),
		func(p pair[string, string], q pair[string, int64]) (string, fault) {
			return replace(p.a, p.b, q.a, q.b)
		}))
}

func (c *nativeCompiler) splitting(s fn[string], args []*node) *node {
	count := always(int64(-1))
	if len(args) == 3 {
		count = args[2].asInt()
	}
	of := compute3(s, args[1].asText(), count, splitText)
	return anyNode(listOfText, func(f *Frame) (strictjson.Value, fault) {
		v, failed := of(f)
		if failed == 0 {
			failed = f.spend(v.Len() / elementsPerWork)
		}
		return v, failed
	})
}

func joining(args []*node) *node {
	separator := always("")
	if len(args) == 2 {
		separator = args[1].asText()
	}
	of := args[0].asAny()
	return counted(func(f *Frame) (string, fault) {
		list, failed := of(f)
		if failed != 0 {
			return "", failed
		}
		between, failed := separator(f)
		switch {
		case failed != 0:
			return "", failed
		case list.Kind() != strictjson.List:
			return "", overloadFault
		}
		if failed := f.spend(list.Len() / elementsPerWork); failed != 0 {
			return "", failed
		}
		return join(list.List(), between)
	})
}

// matching is matches with its pattern, a literal, compiled once. A search can
// take a step for each byte and each instruction of the pattern, and counts as
// reading that much.
func (c *nativeCompiler) matching(of, text *node) *node {
	if text.constant.Kind() != strictjson.String {
		return c.unsupported("a pattern that is no literal")
	}
	p, err := compilePattern(text.constant.Str())
	if c.lenient {
		p, err = freePattern(text.constant.Str())
	}
	if err != nil {
		return c.unsupported("an invalid pattern")
	}
	s := of.asText()
	return boolNode(func(f *Frame) (bool, fault) {
		s, failed := s(f)
		if failed != 0 {
			return false, failed.settled()
		}
		if len(s)*p.size > maxSearch {
			return false, limitFault
		}
		if failed := f.spendText((len(s) + 1) * p.size); failed != 0 {
			return false, failed
		}
		return p.compiled.MatchString(s), 0
	})
}

// freePattern compiles a pattern that may match a part.
func freePattern(text string) (*pattern, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	return &pattern{compiled: compiled, size: len(program.Inst)}, nil
}
