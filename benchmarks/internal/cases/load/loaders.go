package load

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
	"go.yaml.in/yaml/v3"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/benchmarks/internal/policy"
)

func replaceOnce(docs []authority.Document, old, text string) bool {
	for i := range docs {
		if bytes.Contains(docs[i].Data, []byte(old)) {
			docs[i].Data = bytes.Replace(docs[i].Data, []byte(old), []byte(text), 1)
			return true
		}
	}
	return false
}

func ambit(f policy.Fleet, docs []authority.Document) (any, error) {
	return authority.Load(docs, f.Manifest(), authority.AllowUnsigned())
}

// rules is what bare keeps of a document.
type rules struct {
	positions *yaml.Node
	checked   []*cel.Ast
}

// bare is the least that loading can be: each document is parsed to nodes, which
// know their positions, and each expression is parsed and checked against the
// types of its tool and must yield what it is for. Nothing else of a document is
// looked at, and nothing is planned. As many goroutines as there are cores share
// the documents.
func bare(f policy.Fleet, docs []authority.Document) (any, error) {
	envs, err := environments(f)
	if err != nil {
		return nil, err
	}
	kept := make([]rules, len(docs))
	errs := make([]error, len(docs))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(docs); i = int(next.Add(1)) - 1 {
				kept[i], errs[i] = readDocument(envs, docs[i])
			}
		})
	}
	wg.Wait()
	found := 0
	for _, k := range kept {
		found += len(k.checked)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if found != f.Expressions() {
		return nil, fmt.Errorf("%d expressions were read: want %d", found, f.Expressions())
	}
	return kept, nil
}

// environments returns one for each kind of tool, by the tools' names, for the
// language of documents.
func environments(f policy.Fleet) (map[string]*cel.Env, error) {
	byShape := map[int]*cel.Env{}
	byTool := map[string]*cel.Env{}
	for class := 0; class < f.Classes; class += f.PerTool {
		shape := f.Shape(class)
		if byShape[shape] == nil {
			options := []cel.EnvOption{
				cel.CrossTypeNumericComparisons(true), cel.EnableIdentifierEscapeSyntax(), ext.Strings(ext.StringsVersion(5)),
				cel.Variable("facts.current_replicas", cel.IntType), cel.Variable("facts.change_freeze", cel.BoolType),
			}
			for _, p := range f.Properties(class) {
				options = append(options, cel.Variable("args."+p.Name, celTypes[p.Type]))
			}
			env, err := cel.NewEnv(options...)
			if err != nil {
				return nil, err
			}
			byShape[shape] = env
		}
		byTool[f.ToolName(class)] = byShape[shape]
	}
	return byTool, nil
}

var celTypes = map[string]*cel.Type{
	"string": cel.StringType, "int": cel.IntType, "double": cel.DoubleType, "bool": cel.BoolType,
	"list<string>": cel.ListType(cel.StringType),
}

func readDocument(envs map[string]*cel.Env, doc authority.Document) (rules, error) {
	r := rules{positions: new(yaml.Node)}
	if err := yaml.Unmarshal(doc.Data, r.positions); err != nil {
		return r, fmt.Errorf("%s: %w", doc.Name, err)
	}
	for _, class := range at(r.positions.Content[0], "classes").Content {
		env := envs[at(class, "tools").Content[0].Value]
		check := func(expression *yaml.Node, want *cel.Type) error {
			checked, issues := env.Compile(expression.Value)
			if issues.Err() != nil {
				return fmt.Errorf("%s:%d:%d: %w", doc.Name, expression.Line, expression.Column, issues.Err())
			}
			if !checked.OutputType().IsExactType(want) {
				return fmt.Errorf("%s:%d:%d: want %s", doc.Name, expression.Line, expression.Column, want)
			}
			r.checked = append(r.checked, checked)
			return nil
		}
		if err := eachExpression(class, check); err != nil {
			return r, err
		}
	}
	return r, nil
}

// eachExpression calls check with the expressions of a class.
func eachExpression(class *yaml.Node, check func(*yaml.Node, *cel.Type) error) error {
	if err := check(at(class, "when"), cel.BoolType); err != nil {
		return err
	}
	for _, list := range [][2]string{{"bounds", "expr"}, {"escalate", "when"}} {
		if rules := at(class, list[0]); rules != nil {
			for _, rule := range rules.Content {
				if err := check(at(rule, list[1]), cel.BoolType); err != nil {
					return err
				}
			}
		}
	}
	quantity := at(class, "spend", "estimate", "quantity")
	if quantity == nil {
		return nil
	}
	return check(quantity, cel.IntType)
}

// at follows keys through mappings; nil where one is missing.
func at(node *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		var found *yaml.Node
		if node != nil {
			for i := 0; i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == key {
					found = node.Content[i+1]
				}
			}
		}
		node = found
	}
	return node
}
