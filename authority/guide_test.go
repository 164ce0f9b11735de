package authority_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
)

// TestGuideDocuments loads what the guide shows, together, against tools and
// facts that have what its rules read.
func TestGuideDocuments(t *testing.T) {
	data, err := os.ReadFile("../docs/guide.md")
	require.NoError(t, err)
	var docs []authority.Document
	for i, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
		docs = append(docs, authority.Document{Name: fmt.Sprintf("guide-%d.yaml", i+1), Data: []byte(m[1])})
	}
	require.Len(t, docs, 6)
	schema := `{"type":"object","properties":{"kind":{"type":"string"},"workload":{"type":"string"},"region":{"type":"string"},
		"replicas":{"type":"integer"},"instance_type":{"type":"string"}}}`
	m := authority.Manifest{Facts: []authority.FactSpec{{Name: "current_replicas", Type: "int"}, {Name: "change_freeze", Type: "bool"}}}
	for _, name := range []string{"k8s.get_deployment", "k8s.scale_deployment", "k8s.delete_cluster", "k8s.restart_workload"} {
		m.Tools = append(m.Tools, authority.Tool{Name: name, Schema: []byte(schema)})
	}
	set, err := authority.Load(docs, m, authority.AllowUnsigned())
	require.NoError(t, err)
	for _, f := range set.Vet(noon) {
		require.False(t, f.Fails || strings.Contains(f.Error.Message, "no tool"), "%v", f.Error)
	}
}
