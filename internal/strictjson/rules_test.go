package strictjson

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// White box: a panic inside the JSON schema library is a refusal.
func TestLibraryPanicRefuses(t *testing.T) {
	t.Parallel()
	broken := &Schema{root: &node{kinds: objectKind, root: true}, rules: &rules{}}
	v, err := broken.Decode([]byte(`{}`), DefaultLimits())
	require.ErrorContains(t, err, "checking against the schema failed")
	assert.Equal(t, Invalid, v.Kind())

	_, refused := compileRules(map[string]any{"type": panics{}})
	require.Error(t, refused)
}

// panics is what a schema's own text can never hold.
type panics struct{}

func (panics) String() string { panic("as asked") }

// A recursive schema with alternatives costs a power of the depth.
func TestAlternativesAreBounded(t *testing.T) {
	t.Parallel()
	const filter = `{"type":"object","properties":{"op":{"const":"OP"},"args":{"type":"array","items":{"$ref":"#/$defs/filter"}}},"required":["op"]}`
	var alternatives []string
	for _, op := range []string{"and", "or", "not", "eq"} {
		alternatives = append(alternatives, strings.Replace(filter, "OP", op, 1))
	}
	s, err := CompileSchema([]byte(`{"type":"object","properties":{"filter":{"$ref":"#/$defs/filter"}},"$defs":{"filter":{"oneOf":[` +
		strings.Join(alternatives, ",") + `]}}}`))
	require.NoError(t, err)
	nested := func(depth int) []byte {
		return []byte(`{"filter":` + strings.Repeat(`{"op":"and","args":[`, depth) + strings.Repeat(`]}`, depth) + `}`)
	}
	for range 3 { // the count of one document says nothing of the next
		_, err = s.Decode(nested(5), DefaultLimits())
		require.NoError(t, err)
	}
	_, err = s.Decode(nested(15), DefaultLimits())
	require.ErrorContains(t, err, "more steps than")
	_, err = s.Decode(nested(5), DefaultLimits())
	require.NoError(t, err)
}
