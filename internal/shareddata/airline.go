package shareddata

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// airlineCalls is how many calls the data has: a replay of fewer shows less
// than it claims.
const airlineCalls = 577

// AirlineTool is a tool of the airline's customer service agent.
type AirlineTool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
}

// AirlineCall is a call that the agent's model asked for. Calls of one session
// follow each other; their ids repeat.
type AirlineCall struct {
	Session       string `json:"session"`
	CallID        string `json:"call_id"`
	Tool          string `json:"tool"`
	Arguments     string `json:"arguments"` // exactly as the model wrote them
	AssistantText string `json:"assistant_text"`
	Result        string `json:"result"`
}

// Airline returns the airline's tools and the calls of them, in order. It skips
// the test where the data is absent.
func Airline(t testing.TB) ([]AirlineTool, []AirlineCall) {
	t.Helper()
	dir := Dir(t, "airline-calls")
	data, err := os.ReadFile(filepath.Join(dir, "tools.json"))
	require.NoError(t, err)
	var tools []AirlineTool
	require.NoError(t, json.Unmarshal(data, &tools))
	f, err := os.Open(filepath.Join(dir, "calls.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	var calls []AirlineCall
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var call AirlineCall
		require.NoError(t, json.Unmarshal(lines.Bytes(), &call))
		calls = append(calls, call)
	}
	require.NoError(t, lines.Err())
	require.Len(t, calls, airlineCalls)
	return tools, calls
}
