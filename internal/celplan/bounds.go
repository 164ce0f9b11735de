package celplan

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// weight reports whether a call with these arguments stays within the limits.
type weight func(args []ref.Val) bool

// weigher returns the weight of a call that can do much work, or make much out
// of little, in one step. cel-go charges a step after it is done.
func weigher(function string) (weight, bool) {
	switch function {
	case operators.Add:
		return sumWithin, true
	case operators.In:
		return membershipWithin, true
	case "indexOf", "lastIndexOf":
		return searchWithin, true
	case "replace":
		return replaceWithin, true
	case "split":
		return splitWithin, true
	case "join":
		return joinWithin, true
	}
	return nil, false
}

func sumWithin(args []ref.Val) bool {
	switch a := args[0].(type) {
	case types.String:
		b, ok := args[1].(types.String)
		return !ok || len(a)+len(b) <= maxText
	case types.Bytes:
		b, ok := args[1].(types.Bytes)
		return !ok || len(a)+len(b) <= maxText
	case traits.Lister:
		b, ok := args[1].(traits.Lister)
		return !ok || length(a)+length(b) <= maxElements
	}
	return true
}

func membershipWithin(args []ref.Val) bool {
	left := maxElements
	return scalar(args[0]) || within(args[1], &left)
}

func length(l traits.Sizer) int {
	n, _ := l.Size().(types.Int)
	return int(n)
}

func searchWithin(args []ref.Val) bool {
	s, sub, ok := texts(args)
	return !ok || len(s)*len(sub) <= maxSearch
}

func replaceWithin(args []ref.Val) bool {
	s, old, ok := texts(args)
	if !ok || len(args) < 3 {
		return true
	}
	replacement, ok := args[2].(types.String)
	if !ok {
		return true
	}
	count := strings.Count(s, old)
	if len(args) == 4 {
		if n, ok := args[3].(types.Int); ok && n >= 0 {
			count = int(min(int64(count), int64(n)))
		}
	}
	return len(s)+count*(len(replacement)-len(old)) <= maxText
}

func splitWithin(args []ref.Val) bool {
	s, sep, ok := texts(args)
	if !ok {
		return true
	}
	if sep == "" {
		return utf8.RuneCountInString(s) <= maxElements
	}
	return strings.Count(s, sep) < maxElements
}

func joinWithin(args []ref.Val) bool {
	list, ok := args[0].(traits.Lister)
	if !ok {
		return true
	}
	separator := 0
	if len(args) == 2 {
		s, _ := args[1].(types.String)
		separator = len(s)
	}
	total := 0
	for i := range length(list) {
		s, ok := list.Get(types.Int(i)).(types.String)
		if !ok {
			return true
		}
		if total += len(s) + separator; total > maxText {
			return false
		}
	}
	return true
}

func texts(args []ref.Val) (a, b string, ok bool) {
	if len(args) < 2 {
		return "", "", false
	}
	first, ok := args[0].(types.String)
	if !ok {
		return "", "", false
	}
	second, ok := args[1].(types.String)
	return string(first), string(second), ok
}

// isScalarSum reports whether an addition is known to be of numbers or times.
func isScalarSum(call interpreter.InterpretableCall) bool {
	if call.Function() != operators.Add {
		return false
	}
	switch call.OverloadID() {
	case "", overloads.AddString, overloads.AddBytes, overloads.AddList:
		return false
	}
	return true
}

// bounded replaces a call by one that weighs its arguments first.
func (p *interpreted) bounded(call interpreter.InterpretableCall, within weight) (interpreter.InterpretableV2, error) {
	impl, ok := p.impls[call.OverloadID()]
	if !ok {
		impl, ok = p.impls[call.Function()]
	}
	if !ok {
		return nil, fmt.Errorf("no implementation of %s", call.Function())
	}
	return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(),
		func(args ...ref.Val) ref.Val {
			if !within(args) {
				exceeded()
			}
			return invoke(impl, args)
		}), nil
}

func invoke(impl *functions.Overload, args []ref.Val) ref.Val {
	if impl.OperandTrait != 0 && !args[0].Type().HasTrait(impl.OperandTrait) {
		return types.NoSuchOverloadErr()
	}
	switch {
	case impl.Unary != nil && len(args) == 1:
		return impl.Unary(args[0])
	case impl.Binary != nil && len(args) == 2:
		return impl.Binary(args[0], args[1])
	case impl.Function != nil:
		return impl.Function(args...)
	}
	return types.NoSuchOverloadErr()
}

// exceeded ends the evaluation the way cel-go's own cost limit does: nothing
// absorbs it.
func exceeded() {
	panic(interpreter.EvalCancelledError{Cause: interpreter.CostLimitExceeded, Message: "limit exceeded"})
}

// equality is == or !=, which visit every element of two equal lists: as many
// as a few nested literals can multiply them to.
type equality struct {
	call     interpreter.InterpretableCall
	lhs, rhs interpreter.InterpretableV2
}

// ID implements [interpreter.Interpretable].
func (e *equality) ID() int64 { return e.call.ID() }

// Eval implements [interpreter.Interpretable].
func (e *equality) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, e.Exec)
}

// Exec implements [interpreter.InterpretableV2].
func (e *equality) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	lhs := e.lhs.Exec(frame)
	if types.IsUnknownOrError(lhs) {
		return lhs
	}
	rhs := e.rhs.Exec(frame)
	if types.IsUnknownOrError(rhs) {
		return rhs
	}
	if !scalar(lhs) && !scalar(rhs) {
		left := maxElements
		if !within(lhs, &left) || !within(rhs, &left) {
			exceeded()
		}
	}
	out := types.Equal(lhs, rhs)
	if e.call.Function() == operators.NotEquals {
		out = types.Bool(out != types.True)
	}
	if costs := frame.CostTracker(); costs != nil {
		costs.EvalBinary(frame, e.call.ID(), e.call, lhs, rhs, out)
	}
	return out
}

func scalar(v ref.Val) bool {
	switch v.(type) {
	case traits.Lister, traits.Mapper, *object:
		return false
	}
	return true
}

// within counts v and all that is in it down from left, and reports whether
// that sufficed.
func within(v ref.Val, left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	switch v := v.(type) {
	case traits.Lister:
		for i := range length(v) {
			if !within(v.Get(types.Int(i)), left) {
				return false
			}
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True; {
			if !within(v.Get(it.Next()), left) {
				return false
			}
		}
	case *object:
		for _, name := range v.of.names {
			if member, err := v.get(name); err == nil && !within(member, left) {
				return false
			}
		}
	}
	return true
}

// matching is matches with its pattern, a literal, compiled once.
func matching(call interpreter.InterpretableCall) (interpreter.InterpretableV2, error) {
	literal, ok := call.Args()[1].(interpreter.InterpretableConst)
	if !ok {
		return nil, fmt.Errorf("the pattern is no literal")
	}
	pattern, err := compilePattern(fmt.Sprint(literal.Value().Value()))
	if err != nil {
		return nil, err
	}
	return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(),
		func(args ...ref.Val) ref.Val {
			s, ok := args[0].(types.String)
			if !ok {
				return types.NoSuchOverloadErr()
			}
			if len(s)*pattern.size > maxSearch {
				exceeded()
			}
			return types.Bool(pattern.compiled.MatchString(string(s)))
		}), nil
}

type pattern struct {
	compiled *regexp.Regexp
	size     int // instructions
}

// compilePattern refuses what is too large, and what could match a part: an
// unanchored pattern for eu-west-1 also accepts xeu-west-1x.
func compilePattern(text string) (*pattern, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the pattern is invalid: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	if !anchored(tree, syntax.OpBeginText, 0) || !anchored(tree, syntax.OpEndText, -1) {
		return nil, fmt.Errorf("the pattern could match a part of the text: begin it with ^ and end it with $, around (?:…) where it has alternatives")
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, fmt.Errorf("the pattern is invalid")
	}
	if len(program.Inst) > maxPatternSize {
		return nil, fmt.Errorf("the pattern is too large")
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("the pattern is invalid")
	}
	return &pattern{compiled: compiled, size: len(program.Inst)}, nil
}

// anchored reports whether every match of the tree has the anchor at its
// first (0) or last (-1) position.
func anchored(tree *syntax.Regexp, anchor syntax.Op, position int) bool {
	switch tree.Op {
	case anchor:
		return true
	case syntax.OpCapture:
		return anchored(tree.Sub[0], anchor, position)
	case syntax.OpConcat:
		if position < 0 {
			return anchored(tree.Sub[len(tree.Sub)-1], anchor, position)
		}
		return anchored(tree.Sub[0], anchor, position)
	case syntax.OpAlternate:
		for _, sub := range tree.Sub {
			if !anchored(sub, anchor, position) {
				return false
			}
		}
		return true
	}
	return false
}
