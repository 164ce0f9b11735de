package celplan

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	exprpb "cel.dev/expr"
	proto2pb "cel.dev/expr/conformance/proto2"
	proto3pb "cel.dev/expr/conformance/proto3"
	testpb "cel.dev/expr/conformance/test"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/parser"
)

// conformanceCase is one case of CEL's conformance suite, as cel-go sees it.
type conformanceCase struct {
	name string // file/section/case
	*testpb.SimpleTest

	vars    map[string]ref.Val
	checked *ast.AST // nil: the case cannot be checked
	untyped bool     // it can only over variables of any type
	result  ref.Val  // nil: an error, or the case is about types alone
	failure error    // what cel-go gets wrong
}

// conformanceFiles returns the files of the module cel.dev/expr in the version
// that go.mod names, by the name of the file.
func conformanceFiles(t *testing.T) map[string]*testpb.SimpleTestFile {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "cel.dev/expr").Output()
	require.NoError(t, err)
	paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "tests", "simple", "testdata", "*.textproto"))
	require.NoError(t, err)
	files := make(map[string]*testpb.SimpleTestFile)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		file := new(testpb.SimpleTestFile)
		require.NoError(t, prototext.Unmarshal(text, file), path)
		files[strings.TrimSuffix(filepath.Base(path), ".textproto")] = file
	}
	return files
}

func casesOf(t *testing.T, name string, file *testpb.SimpleTestFile) []*conformanceCase {
	var cases []*conformanceCase
	for _, section := range file.GetSection() {
		for _, test := range section.GetTest() {
			c := &conformanceCase{name: name + "/" + section.GetName() + "/" + test.GetName(), SimpleTest: test}
			c.failure = c.run(t)
			cases = append(cases, c)
		}
	}
	return cases
}

// conformanceEnvs are the environments of cel-go's own run of the suite, with
// and without macros, and with the extensions that came later.
var conformanceEnvs = sync.OnceValues(func() (with, without *cel.Env) {
	without, err := cel.NewCustomEnv(
		cel.StdLib(),
		cel.ClearMacros(),
		cel.OptionalTypes(),
		cel.EagerlyValidateDeclarations(true),
		cel.EnableErrorOnBadPresenceTest(true),
		cel.EnableIdentifierEscapeSyntax(),
		cel.Types(&proto2pb.TestAllTypes{}, &proto2pb.Proto2ExtensionScopedMessage{}, &proto3pb.TestAllTypes{}),
		ext.Bindings(), ext.Encoders(), ext.Lists(), ext.Math(), ext.Network(), ext.Protos(), ext.Strings(), ext.TwoVarComprehensions(),
		cel.Lib(blocks{}),
	)
	if err != nil {
		panic(err)
	}
	if with, err = without.Extend(cel.Macros(cel.StandardMacros...)); err != nil {
		panic(err)
	}
	return with, without
})

// run evaluates the case on cel-go. The error says what does not come out as
// the suite has it.
func (c *conformanceCase) run(t *testing.T) error {
	base, without := conformanceEnvs()
	if c.GetDisableMacros() {
		base = without
	}
	if c.GetContainer() != "" {
		base = extended(t, base, cel.Container(c.GetContainer()))
	}
	var declarations []cel.EnvOption
	for _, d := range c.GetTypeEnv() {
		declaration, err := cel.ProtoAsDeclaration(d)
		require.NoError(t, err)
		declarations = append(declarations, declaration)
	}
	env := extended(t, base, declarations...)
	planned, issues := env.Parse(c.GetExpr())
	if issues.Err() != nil {
		return issues.Err()
	}
	checked, issues := env.Check(planned)
	switch {
	case !c.GetDisableCheck() && issues.Err() != nil:
		return issues.Err()
	case !c.GetDisableCheck():
		planned = checked
	case issues.Err() != nil:
		c.untyped, checked = true, c.withoutTypes(t, base, planned)
	}
	if checked != nil {
		c.checked = checked.NativeRep()
	}
	if c.GetCheckOnly() {
		return c.deduced(planned)
	}
	return c.evaluate(env, planned)
}

func extended(t *testing.T, env *cel.Env, options ...cel.EnvOption) *cel.Env {
	env, err := env.Extend(options...)
	require.NoError(t, err)
	return env
}

// withoutTypes returns the expression over variables of any type and with dyn
// around what it is made of, which means the same and which the checker takes
// where it refuses the types; nil where it refuses that too.
func (c *conformanceCase) withoutTypes(t *testing.T, env *cel.Env, parsed *cel.Ast) *cel.Ast {
	for _, d := range c.GetTypeEnv() {
		env = extended(t, env, cel.Variable(d.GetName(), cel.DynType))
	}
	for name := range c.GetBindings() {
		env = extended(t, env, cel.Variable(name, cel.DynType))
	}
	tree := ast.Copy(parsed.NativeRep())
	wrapInDyn(tree.Expr())
	text, err := parser.Unparse(tree.Expr(), tree.SourceInfo())
	require.NoError(t, err)
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil
	}
	return checked
}

// wrapInDyn leaves the keys of maps, which may have several types in any case.
func wrapInDyn(e ast.Expr) {
	keys := make(map[int64]bool)
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.MapKind {
			for _, entry := range e.AsMap().Entries() {
				keys[entry.AsMapEntry().Key().ID()] = true
			}
		}
	}))
	factory, id := ast.NewExprFactory(), int64(1<<20)
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if k := e.Kind(); keys[e.ID()] || k != ast.LiteralKind && k != ast.ListKind && k != ast.MapKind {
			return
		}
		inside := factory.CopyExpr(e)
		inside.RenumberIDs(func(int64) int64 { id++; return id })
		e.SetKindCase(factory.NewCall(e.ID(), "dyn", inside))
	}))
}

func (c *conformanceCase) evaluate(env *cel.Env, planned *cel.Ast) error {
	program, err := env.Program(planned)
	if err != nil {
		return err
	}
	vars := make(map[string]any, len(c.GetBindings()))
	c.vars = make(map[string]ref.Val, len(c.GetBindings()))
	for name, v := range c.GetBindings() {
		if c.vars[name], err = cel.ProtoAsValue(env.CELTypeAdapter(), v.GetValue()); err != nil {
			return err
		}
		vars[name] = c.vars[name]
	}
	out, _, err := program.Eval(vars)
	if err == nil {
		c.result = out
	}
	switch matcher := c.GetResultMatcher().(type) {
	case *testpb.SimpleTest_EvalError:
		if err == nil {
			return fmt.Errorf("yields %v, want an error", out)
		}
		return nil
	case *testpb.SimpleTest_Value:
		return cmp.Or(err, yields(out, matcher.Value))
	case *testpb.SimpleTest_TypedResult:
		return cmp.Or(err, yields(out, matcher.TypedResult.GetResult()), c.deduced(planned))
	case nil:
		return cmp.Or(err, yields(out, &exprpb.Value{Kind: &exprpb.Value_BoolValue{BoolValue: true}}))
	}
	return fmt.Errorf("no result to compare with")
}

func (c *conformanceCase) deduced(checked *cel.Ast) error {
	got, err := types.TypeToProto(checked.OutputType())
	if err != nil {
		return err
	}
	if want := c.GetTypedResult().GetDeducedType(); !proto.Equal(want, got) {
		return fmt.Errorf("is of type %v, want %v", got, want)
	}
	return nil
}

func yields(out ref.Val, want *exprpb.Value) error {
	if out == nil {
		return errors.New("yields nothing")
	}
	got, err := cel.ValueAsProto(out)
	if err != nil {
		return err
	}
	if !sameProto(got, want) {
		return fmt.Errorf("yields %v, want %v", got, want)
	}
	return nil
}

// sameProto compares values, maps in any order and messages by their fields.
func sameProto(a, b *exprpb.Value) bool {
	switch {
	case a.GetListValue() != nil && b.GetListValue() != nil:
		return slices.EqualFunc(a.GetListValue().GetValues(), b.GetListValue().GetValues(), sameProto)
	case a.GetMapValue() != nil && b.GetMapValue() != nil:
		return slices.EqualFunc(inProtoOrder(a.GetMapValue()), inProtoOrder(b.GetMapValue()), func(a, b *exprpb.MapValue_Entry) bool {
			return sameProto(a.GetKey(), b.GetKey()) && sameProto(a.GetValue(), b.GetValue())
		})
	case a.GetObjectValue() != nil && b.GetObjectValue() != nil:
		first, err := a.GetObjectValue().UnmarshalNew()
		second, err2 := b.GetObjectValue().UnmarshalNew()
		return err == nil && err2 == nil && proto.Equal(first, second)
	}
	return proto.Equal(a, b)
}

func inProtoOrder(m *exprpb.MapValue) []*exprpb.MapValue_Entry {
	return slices.SortedFunc(slices.Values(m.GetEntries()), func(a, b *exprpb.MapValue_Entry) int {
		return cmp.Compare(key(a), key(b))
	})
}

func key(e *exprpb.MapValue_Entry) string {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(e.GetKey())
	if err != nil {
		panic(err)
	}
	return string(text)
}

// blocks are the macros of cel.block that the suite writes and that cel-go
// leaves to its optimizer.
type blocks struct{}

func (blocks) LibraryName() string                 { return "blocks" }
func (blocks) ProgramOptions() []cel.ProgramOption { return nil }

func (blocks) CompileOptions() []cel.EnvOption {
	options := []cel.EnvOption{cel.Macros(
		cel.ReceiverMacro("block", 2, ofCEL(func(f cel.MacroExprFactory, args []ast.Expr) ast.Expr {
			return f.NewCall("cel.@block", args...)
		})),
		cel.ReceiverMacro("index", 1, ofCEL(func(f cel.MacroExprFactory, args []ast.Expr) ast.Expr {
			return f.NewIdent(fmt.Sprintf("@index%d", args[0].AsLiteral()))
		})),
		cel.ReceiverMacro("iterVar", 2, ofCEL(func(f cel.MacroExprFactory, args []ast.Expr) ast.Expr {
			return f.NewIdent(fmt.Sprintf("@it:%d:%d", args[0].AsLiteral(), args[1].AsLiteral()))
		})),
		cel.ReceiverMacro("accuVar", 2, ofCEL(func(f cel.MacroExprFactory, args []ast.Expr) ast.Expr {
			return f.NewIdent(fmt.Sprintf("@ac:%d:%d", args[0].AsLiteral(), args[1].AsLiteral()))
		})),
	)}
	for i := range 30 {
		options = append(options, cel.Variable(fmt.Sprintf("@index%d", i), cel.DynType))
	}
	return options
}

// ofCEL expands a macro of the namespace cel.
func ofCEL(expand func(f cel.MacroExprFactory, args []ast.Expr) ast.Expr) cel.MacroFactory {
	return func(f cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		if target.Kind() != ast.IdentKind || target.AsIdent() != "cel" {
			return nil, nil
		}
		return expand(f, args), nil
	}
}
