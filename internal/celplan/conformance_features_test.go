package celplan

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// What must run natively: the operators, functions and macros that rules are
// made of, on scalars, lists and maps, also where their types are known only
// when they are evaluated. This list is not that of the compiler.
var (
	featureFunctions = []string{
		"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_+_", "_-_", "_*_", "_/_", "_%_", "-_",
		"_&&_", "_||_", "!_", "_?_:_", "_[_]",
		"size", "startsWith", "endsWith", "contains", "matches",
		"charAt", "indexOf", "join", "lastIndexOf", "lowerAscii", "replace", "split", "substring", "trim", "upperAscii",
		"getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds",
		"bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "uint",
	}
	featureMacros = []string{"all", "exists", "exists_one", "existsOne", "filter", "map"}
	featureKinds  = []types.Kind{
		types.BoolKind, types.BytesKind, types.DoubleKind, types.DurationKind, types.DynKind, types.IntKind,
		types.ListKind, types.MapKind, types.NullTypeKind, types.StringKind, types.TimestampKind, types.UintKind,
	}
)

// features looks for what is beyond the features in an expression.
type features struct {
	ast    *ast.AST
	beyond string // what was found first
}

// beyondFeatures returns what of an expression is none of the features; empty:
// it is made of them alone.
func (c *conformanceCase) beyondFeatures() string {
	for name, v := range c.vars {
		if !convertible(v) {
			return "the variable " + name
		}
	}
	f := &features{ast: c.checked}
	f.visit(c.checked.Expr())
	return f.beyond
}

func (f *features) found(what string) {
	if f.beyond == "" {
		f.beyond = what
	}
}

func (f *features) visit(e ast.Expr) {
	f.ofType(f.ast.GetType(e.ID()))
	reference, refers := f.ast.ReferenceMap()[e.ID()]
	if refers && reference.Value != nil {
		f.found("an enum")
	}
	switch e.Kind() {
	case ast.CallKind:
		f.call(e.AsCall())
	case ast.SelectKind:
		if !refers { // by a qualified name
			f.visit(e.AsSelect().Operand())
		}
	case ast.ListKind:
		if len(e.AsList().OptionalIndices()) > 0 {
			f.found("an optional element")
		}
		for _, elem := range e.AsList().Elements() {
			f.visit(elem)
		}
	case ast.MapKind:
		f.mapping(e.AsMap())
	case ast.StructKind:
		f.found("a message")
	case ast.ComprehensionKind:
		f.loop(e)
	}
}

// ofType looks at the kind of a type and, of lists and maps, of what is in it.
// A wrapper, which may be null, is no feature.
func (f *features) ofType(t *types.Type) {
	nullable := t.Kind() != types.NullTypeKind && t.Kind() != types.DynKind && t.IsAssignableType(types.NullType)
	if nullable || !slices.Contains(featureKinds, t.Kind()) {
		f.found("the type " + t.String())
	}
	for _, inner := range t.Parameters() {
		f.ofType(inner)
	}
}

func (f *features) call(call ast.CallExpr) {
	if !slices.Contains(featureFunctions, call.FunctionName()) {
		f.found("the function " + call.FunctionName())
	}
	if call.IsMemberFunction() {
		f.visit(call.Target())
	}
	for _, arg := range call.Args() {
		f.visit(arg)
	}
}

func (f *features) mapping(m ast.MapExpr) {
	for _, entry := range m.Entries() {
		if entry.AsMapEntry().IsOptional() {
			f.found("an optional entry")
		}
		f.visit(entry.AsMapEntry().Key())
		f.visit(entry.AsMapEntry().Value())
	}
}

func (f *features) loop(e ast.Expr) {
	loop := e.AsComprehension()
	macro, ok := f.ast.SourceInfo().GetMacroCall(e.ID())
	if !ok || !slices.Contains(featureMacros, macro.AsCall().FunctionName()) || loop.HasIterVar2() {
		f.found("a loop that is none of the macros")
		return
	}
	f.visit(loop.IterRange())
	f.visit(loop.AccuInit())
	f.visit(loop.LoopStep()) // holds what the macro was given
}
