package celplan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/ext"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// checker parses and checks expressions of one scope. It is immutable.
type checker struct {
	cel   *cel.Env // without cel-go's validators, see [checker.plausible]
	types *provider
	whole func() (*wholeEnv, error)
}

// wholeEnv is cel-go's environment with all that costs time and memory, and
// that only refusals and programs of cel-go's need.
type wholeEnv struct {
	cel    *cel.Env
	impls  map[string]*functions.Overload
	callee []string // names of the functions that can be called, sorted
}

// Checkers shares what the environments of equal scopes have in common, which
// is most of what they weigh. The zero Checkers is ready, and is safe for
// concurrent use.
type Checkers struct {
	mu    sync.Mutex
	known map[string]*checker // by the structure of the scope
}

// NewEnv is [NewEnv] with what an equal scope has in common with this one.
func (c *Checkers) NewEnv(scope Scope, opts ...Option) (*Env, error) {
	e := new(Env)
	for _, set := range opts {
		if set != nil {
			set(e)
		}
	}
	if e.layout == nil {
		e.layout = NewLayout(nil)
	}
	var err error
	e.checker, err = c.of(scope)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (c *Checkers) of(scope Scope) (*checker, error) {
	var key strings.Builder
	for _, t := range []*strictjson.Type{scope.Args, scope.Derived, scope.Facts, scope.Event} {
		writeStructure(&key, t, 0)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.known[key.String()]; ok {
		return known, nil
	}
	made, err := newChecker(scope)
	if err != nil {
		return nil, err
	}
	if c.known == nil {
		c.known = make(map[string]*checker)
	}
	c.known[key.String()] = made
	return made, nil
}

// writeStructure writes what a checker is made from, without ambiguity: two
// types with the same text check and evaluate the same expressions alike.
func writeStructure(b *strings.Builder, t *strictjson.Type, depth int) {
	if t == nil || depth > maxTypeDepth { // newChecker refuses a deeper one
		b.WriteByte('-')
		return
	}
	b.WriteString(strconv.Itoa(int(t.Kind)))
	if t.Kind != strictjson.Object {
		b.WriteByte('<')
		writeStructure(b, t.Elem, depth+1)
		b.WriteByte('>')
		return
	}
	b.WriteByte('{')
	for _, f := range t.Fields {
		b.WriteString(strconv.Quote(f.Name))
		if f.Required {
			b.WriteByte('!')
		}
		writeStructure(b, f.Type, depth+1)
	}
	b.WriteByte('}')
}

func newChecker(scope Scope) (*checker, error) {
	types, err := newProvider(scope)
	if err != nil {
		return nil, err
	}
	options := []cel.EnvOption{
		cel.CustomTypeProvider(types),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableIdentifierEscapeSyntax(),
		cel.ParserRecursionLimit(maxNesting),
		cel.ParserExpressionSizeLimit(maxSource),
		cel.ExpressionNodeLimit(maxNodes),
	}
	for _, v := range types.variables {
		options = append(options, cel.Variable(v.name, cel.ObjectType(v.object.name)))
	}
	strings, err := stringFunctions()
	if err != nil {
		return nil, err
	}
	celEnv, err := cel.NewEnv(append(slices.Clip(options), cel.FunctionDecls(strings...))...)
	if err != nil {
		return nil, fmt.Errorf("CEL environment: %w", err)
	}
	catalogue(celEnv)
	whole := sync.OnceValues(func() (*wholeEnv, error) { return newWholeEnv(options) })
	return &checker{cel: celEnv, types: types, whole: whole}, nil
}

// catalogue has the environment make its catalogue of names, from which it
// makes suggestions. By itself it does so at the first name that it does not
// know, while other goroutines, which check other expressions, read there.
func catalogue(e *cel.Env) {
	if parsed, issues := e.Parse("unknown"); issues.Err() == nil {
		_, _ = e.Check(parsed) // which fails
	}
}

// stringFunctions declares CEL's strings extension without its validator.
func stringFunctions() ([]*decls.FunctionDecl, error) {
	celEnv, err := cel.NewCustomEnv(ext.Strings(ext.StringsVersion(stringsVersion)))
	if err != nil {
		return nil, fmt.Errorf("CEL strings extension: %w", err)
	}
	var declared []*decls.FunctionDecl
	for _, fn := range celEnv.Functions() {
		declared = append(declared, fn)
	}
	return declared, nil
}

func newWholeEnv(options []cel.EnvOption) (*wholeEnv, error) {
	options = append(slices.Clip(options),
		ext.Strings(ext.StringsVersion(stringsVersion)),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(),
			cel.ValidateTimestampLiterals(),
			cel.ValidateHomogeneousAggregateLiterals(),
		),
	)
	celEnv, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("CEL environment: %w", err)
	}
	catalogue(celEnv)
	e := &wholeEnv{cel: celEnv, impls: make(map[string]*functions.Overload)}
	for name, fn := range celEnv.Functions() {
		if callable(name) {
			e.callee = append(e.callee, name)
		}
		overloads, err := fn.Bindings()
		if err != nil {
			return nil, fmt.Errorf("CEL function %s: %w", name, err)
		}
		for _, o := range overloads {
			e.impls[o.Operator] = o
		}
	}
	slices.Sort(e.callee)
	return e, nil
}
