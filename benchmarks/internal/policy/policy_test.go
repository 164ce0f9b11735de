package policy

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
)

func TestAutoscalerLoads(t *testing.T) {
	granted := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	_, err := authority.Load([]authority.Document{Autoscaler(granted, granted.AddDate(0, 3, 0))}, Manifest(), authority.AllowUnsigned())
	require.NoError(t, err)
}

var expression = regexp.MustCompile(`(?:expr|when|quantity): "([^"]*)"`)

func TestFleetLoadsAndItsExpressionsAreDistinct(t *testing.T) {
	f := Fleet{Classes: 100, PerTool: 10, PerDocument: 20, Shapes: 5}
	docs := f.Documents()
	require.Len(t, docs, 5)
	require.Len(t, f.Manifest().Tools, f.Tools())
	_, err := authority.Load(docs, f.Manifest(), authority.AllowUnsigned())
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, d := range docs {
		for _, found := range expression.FindAllSubmatch(d.Data, -1) {
			assert.False(t, seen[string(found[1])], "%s is there twice", found[1])
			seen[string(found[1])] = true
		}
	}
	assert.Len(t, seen, f.Expressions())
}
