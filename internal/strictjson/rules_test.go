package strictjson

import (
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
