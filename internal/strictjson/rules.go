package strictjson

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// maxSteps bounds how often one check applies a schema to a value. The library
// tries every alternative to its end, so a recursive schema with four of them
// takes four to the power of a document's depth: hours for 300 bytes.
const maxSteps = 100_000

// rules checks the keywords beyond structure with a JSON schema library. It
// compares numbers as exact rationals of their literals.
type rules struct {
	tree any

	mu   sync.Mutex
	idle []*checker // compiled when first needed: a count serves one check at a time
}

// maxIdle bounds how many checkers are kept for later.
const maxIdle = 16

// checker is a compiled schema with a count of the steps of the one check that
// it is used for.
type checker struct {
	schema *jsonschema.Schema
	steps  int
}

// Validate implements [jsonschema.SchemaExt]: it is called for each application
// of a schema.
func (c *checker) Validate(*jsonschema.ValidatorContext, any) {
	if c.steps++; c.steps > maxSteps {
		panic(errTooManySteps)
	}
}

var errTooManySteps = errors.New("more steps than are taken for one document")

func newChecker(tree any) (*checker, error) {
	c := new(checker)
	compiler := newCompiler()
	compiler.AssertVocabs()
	compiler.RegisterVocabulary(&jsonschema.Vocabulary{
		URL:     "schema:///steps",
		Compile: func(*jsonschema.CompilerContext, map[string]any) (jsonschema.SchemaExt, error) { return c, nil },
	})
	err := compiler.AddResource(schemaURL, tree)
	if err == nil {
		c.schema, err = compiler.Compile(schemaURL)
	}
	return c, err
}

// take returns a checker that nobody else uses, and give takes it back.
func (r *rules) take() (*checker, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := len(r.idle) - 1; last >= 0 {
		c := r.idle[last]
		r.idle = r.idle[:last]
		return c, nil
	}
	return newChecker(r.tree)
}

func (r *rules) give(c *checker) {
	c.steps = 0
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) < maxIdle {
		r.idle = append(r.idle, c)
	}
}

// nothing is the loader: a reference out of the schema is an error.
type nothing struct{}

func (nothing) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is not in this schema; nothing is fetched", quote(url))
}

const schemaURL = "schema:///arguments"

func newCompiler() *jsonschema.Compiler {
	c := jsonschema.NewCompiler()
	c.UseLoader(nothing{})
	c.AssertFormat()
	return c
}

func compileRules(tree any) (r *rules, refused *Error) {
	defer func() {
		if p := recover(); p != nil {
			r, refused = nil, schemaError("", "%s", cut(fmt.Sprint(p), maxReason))
		}
	}()
	c := newCompiler()
	if err := c.AddResource(schemaURL, tree); err != nil {
		return nil, schemaError("", "%s", cut(err.Error(), maxReason))
	}
	_, err := c.Compile(schemaURL)
	if err == nil {
		return &rules{tree: tree}, nil
	}
	var invalid *jsonschema.SchemaValidationError
	var cause *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &cause) {
		leaf := firstLeaf(cause)
		return nil, schemaError(pointer(leaf.InstanceLocation), "%s", reason(leaf))
	}
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		err = load.Err
	}
	return nil, schemaError("", "%s", cut(err.Error(), maxReason))
}

func (r *rules) check(v Value, data []byte) (refused *Error) {
	defer func() {
		if p := recover(); p != nil {
			refused = refuse(0, "checking against the schema failed: %s", cut(fmt.Sprint(p), maxReason))
		}
	}()
	c, err := r.take()
	if err != nil {
		return refuse(0, "checking against the schema failed: %s", cut(err.Error(), maxReason))
	}
	defer r.give(c)
	err = c.schema.Validate(v.plain())
	if err == nil {
		return nil
	}
	var cause *jsonschema.ValidationError
	if !errors.As(err, &cause) {
		return refuse(0, "%s", cut(err.Error(), maxReason))
	}
	leaf := firstLeaf(cause)
	refused = refuse(offsetOf(data, leaf.InstanceLocation), "%s", reason(leaf))
	place := v.descend(leaf.InstanceLocation, refused)
	if place.kind != Invalid && place.kind != List && !place.kind.keyed() {
		refused.Message += ", got " + place.brief()
	}
	return refused
}

// descend follows the steps of a JSON pointer, writes them to the path of e, and
// returns the value they lead to.
func (v Value) descend(steps []string, e *Error) Value {
	if len(steps) == 0 {
		return v
	}
	if i, err := strconv.Atoi(steps[0]); err == nil && v.kind == List && i < v.Len() {
		place := v.Elem(i).descend(steps[1:], e)
		_ = e.belowIndex(i)
		return place
	}
	member, _ := v.Get(steps[0])
	place := member.descend(steps[1:], e)
	_ = e.belowName(steps[0])
	return place
}

// plain returns v as the library wants it, numbers by their literals.
func (v Value) plain() any {
	switch v.kind {
	case Bool:
		return v.Bool()
	case Int, Double:
		return json.Number(v.AppendJSON(nil))
	case String:
		return v.Str()
	case List:
		out := make([]any, v.Len())
		for i, e := range v.List() {
			out[i] = e.plain()
		}
		return out
	case Map, Object:
		out := make(map[string]any, v.Len())
		for _, m := range v.Members() {
			out[m.Name] = m.Value.plain()
		}
		return out
	}
	return nil
}

// firstLeaf returns the error to show of those the library found, in an order
// that does not depend on a map's: alternatives are one error, not many.
func firstLeaf(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not, *kind.PropertyNames:
		return e
	}
	if len(e.Causes) == 0 {
		return e
	}
	leaves := make([]*jsonschema.ValidationError, len(e.Causes))
	for i, cause := range e.Causes {
		leaves[i] = firstLeaf(cause)
	}
	return slices.MinFunc(leaves, func(a, b *jsonschema.ValidationError) int {
		return cmp.Or(slices.Compare(a.InstanceLocation, b.InstanceLocation), strings.Compare(reason(a), reason(b)))
	})
}

// reason says what would be right, without the value itself.
func reason(e *jsonschema.ValidationError) string {
	switch k := e.ErrorKind.(type) {
	case *kind.Minimum:
		return "want at least " + ratText(k.Want)
	case *kind.Maximum:
		return "want at most " + ratText(k.Want)
	case *kind.ExclusiveMinimum:
		return "want more than " + ratText(k.Want)
	case *kind.ExclusiveMaximum:
		return "want less than " + ratText(k.Want)
	case *kind.MultipleOf:
		return "want a multiple of " + ratText(k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("want at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("want at most %d characters", k.Want)
	case *kind.Pattern:
		return "want text that matches the pattern " + cut(escape(k.Want), maxReason)
	case *kind.Format:
		return "want text of format " + escape(k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("want at least %d elements, got %d", k.Want, k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("want at most %d elements, got %d", k.Want, k.Got)
	case *kind.UniqueItems:
		return fmt.Sprintf("elements %d and %d are equal; want distinct ones", k.Duplicates[0], k.Duplicates[1])
	case *kind.Enum:
		allowed := make([]string, len(k.Want))
		for i, v := range k.Want {
			allowed[i] = jsonText(v)
		}
		return "want one of " + listed(allowed)
	case *kind.Const:
		return "want " + jsonText(k.Want)
	case *kind.PropertyNames:
		return "property name " + quote(k.Property) + ": " + strings.Join(causeReasons(e), "; ")
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			return fmt.Sprintf("alternatives %v all match; want exactly one", k.Subschemas)
		}
	case *kind.Not:
		return "the schema forbids this value"
	}
	if len(e.Causes) > 0 {
		return "none of the alternatives matches: " + strings.Join(causeReasons(e), "; ")
	}
	text := e.Error() // "at '/place': reason"
	if _, after, ok := strings.Cut(text, "': "); ok {
		text = after
	}
	return cut(escape(text), maxReason)
}

func causeReasons(e *jsonschema.ValidationError) []string {
	const most = 4
	var out []string
	for _, cause := range e.Causes {
		if out = append(out, reason(firstLeaf(cause))); len(out) == most {
			break
		}
	}
	return out
}

func jsonText(v any) string {
	text, _ := json.Marshal(v) // of a schema, so it is JSON
	return cut(string(text), maxQuoted)
}

func ratText(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func pointer(steps []string) string {
	var b strings.Builder
	for _, step := range steps {
		b.WriteByte('/')
		b.WriteString(escapePointer(step))
	}
	return b.String()
}

// offsetOf finds where a place of an accepted document starts. Only an error
// costs this second pass.
func offsetOf(data []byte, steps []string) int {
	want := jsontext.Pointer(pointer(steps))
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	for {
		dec.PeekKind()
		before := dec.InputOffset()
		if _, err := dec.ReadToken(); err != nil || dec.StackPointer() == want {
			return int(before)
		}
	}
}
