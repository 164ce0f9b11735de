package strictjson_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sharedData returns a folder of the data that lies beside the repository, and
// skips the test where it is absent.
func sharedData(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module github.com/ambit-go/ambit\n") {
			break
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, parent, dir, "no go.mod of the root module above the test")
		dir = parent
	}
	folder := filepath.Join(dir, "..", "shared", "data", name)
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("the shared data is not beside the repository: %v", err)
	}
	return folder
}

type airlineTool struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
}

func airlineTools(t testing.TB) map[string]json.RawMessage {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(sharedData(t, "airline-calls"), "tools.json"))
	require.NoError(t, err)
	var tools []airlineTool
	require.NoError(t, json.Unmarshal(data, &tools))
	schemas := make(map[string]json.RawMessage, len(tools))
	for _, tool := range tools {
		schemas[tool.Name] = tool.Parameters
	}
	return schemas
}

type airlineCall struct {
	Tool      string `json:"tool"`
	Arguments string `json:"arguments"`
}

func airlineCalls(t testing.TB) []airlineCall {
	t.Helper()
	f, err := os.Open(filepath.Join(sharedData(t, "airline-calls"), "calls.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	var calls []airlineCall
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var call airlineCall
		require.NoError(t, json.Unmarshal(lines.Bytes(), &call))
		calls = append(calls, call)
	}
	require.NoError(t, lines.Err())
	return calls
}
