package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/rationale"
)

// chatRequest is what of a request to a model the tests look at.
type chatRequest struct {
	Model    string
	Messages []struct{ Role, Content string }
	Tools    []struct {
		Function struct {
			Name       string
			Parameters struct{ Properties map[string]any }
		}
	}
}

// provider answers like an OpenAI-compatible API. Each turn, the model makes one
// call, and then closes; an endless one calls on.
type provider struct {
	tool, arguments string
	endless         bool

	mu       sync.Mutex
	requests []chatRequest
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request chatRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || r.Header.Get("Authorization") != "Bearer secret" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.requests = append(p.requests, request)
	id := fmt.Sprint("call-", len(p.requests))
	p.mu.Unlock()
	message := map[string]any{"role": "assistant", "content": "Done\x1b[2J."}
	if last := request.Messages[len(request.Messages)-1]; last.Role == "user" || p.endless {
		message["content"] = "Scaling \x1b[2Jup.\nNow."
		message["tool_calls"] = []any{map[string]any{"id": id, "type": "function", "function": map[string]any{
			"name": p.tool, "arguments": p.arguments,
		}}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "1", "object": "chat.completion", "model": request.Model,
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": message}},
	})
}

// converse runs a shift of two turns with the provider's model.
func converse(t *testing.T, p *provider) (screen string, r result) {
	t.Helper()
	server := httptest.NewServer(p)
	defer server.Close()
	dir := t.TempDir()
	trace := fleet.Trace{{At: time.Second, Context: 100, Generated: 10}}
	o := options{trace: trace, traceName: "t", evidence: dir, openAI: openAI{key: "secret", model: "some-model", baseURL: server.URL}}
	var out bytes.Buffer
	r = result{fleet: fleet.New(trace, morning), outcomes: map[string][]*rationale.Outcome{}}
	require.NoError(t, work(t.Context(), o, r.fleet, &out))
	r.read(t, dir)
	return out.String(), r
}

func TestRealModelTakesThePlannersPlace(t *testing.T) {
	p := &provider{
		tool:      "k8s_scale_deployment",
		arguments: `{"workload":"reader","region":"eu-west-1","replicas":8,"_rationale":{"purpose":"more load"}}`,
	}
	screen, r := converse(t, p)
	require.Len(t, p.requests, 4, "two turns of two steps")
	assert.Equal(t, "some-model", p.requests[0].Model)
	names := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	for _, tool := range p.requests[0].Tools {
		assert.Regexp(t, names, tool.Function.Name, "model APIs refuse other names")
		if tool.Function.Name == "k8s_scale_deployment" {
			assert.Contains(t, tool.Function.Parameters.Properties, rationale.Parameter)
		}
	}
	assert.Contains(t, p.lastResult(1), `"rationale_missing"`)
	assert.Contains(t, screen, "“Scaling \ufffd[2Jup. Now.”")
	assert.Contains(t, screen, "“Done\ufffd[2J.”")
	assert.NotContains(t, screen, "\x1b")
	assert.Equal(t, rationale.Model{Provider: "openai", Name: "some-model", Basis: "configured"}, r.decisions[0].Model)
	assert.Empty(t, r.fleet.Log()[:len(r.fleet.Log())-1], "nothing was done")
}

// lastResult is the last message of a request.
func (p *provider) lastResult(request int) string {
	messages := p.requests[request].Messages
	return messages[len(messages)-1].Content
}

// A pool has one instance type: the documents allow the call, the fleet does not.
func TestFailureOfTheFleetGoesToTheModel(t *testing.T) {
	p := &provider{
		tool: "nodepool_resize",
		arguments: `{"pool":"general","region":"eu-west-1","instance_type":"m7g.8xlarge","nodes":5,` +
			`"_rationale":{"purpose":"p","expected":"e","alternatives":[{"option":"o","rejected":"r"}]}}`,
	}
	screen, r := converse(t, p)
	const want = "pool general in eu-west-1 is of m7g.4xlarge: a pool has one instance type"
	assert.Contains(t, p.lastResult(1), want)
	assert.Contains(t, screen, "it was allowed, and ended in error: ")
	first := r.decisions[0]
	require.Equal(t, rationale.Allow, first.Verdict)
	require.Len(t, r.outcomes[first.ID], 1)
	assert.Equal(t, rationale.StatusError, r.outcomes[first.ID][0].Status)
	assert.Contains(t, r.outcomes[first.ID][0].Error, want)
	assert.Len(t, r.fleet.Log(), 1, "nothing was done but the repeat")
}

func TestEndlessModelLosesItsTurn(t *testing.T) {
	p := &provider{tool: "fleet_status", arguments: `{}`, endless: true}
	screen, r := converse(t, p)
	assert.Equal(t, 2, strings.Count(screen, "the agent used up its 40 steps for this turn"))
	records(t, r)
}

func TestModelThatFailsEndsTheRun(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	env := map[string]string{"OPENAI_API_KEY": "secret", "OPENAI_MODEL": "m", "OPENAI_BASE_URL": server.URL}
	var out, problems bytes.Buffer
	code := run(t.Context(), []string{"-evidence", t.TempDir()}, func(name string) string { return env[name] }, &out, &problems)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, problems.String(), "the agent: ")
	assert.NotContains(t, problems.String(), "secret")
}

func TestSpansGoToOTLPWhereTheEnvironmentSaysSo(t *testing.T) {
	var (
		mu    sync.Mutex
		paths = map[string]int{}
	)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		paths[r.URL.Path] += len(body)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	dir := t.TempDir()
	trace := fleet.Trace{{At: time.Second, Context: 100, Generated: 10}}
	var screen bytes.Buffer
	o := options{trace: trace, traceName: "t", evidence: dir, otlp: true}
	require.NoError(t, work(t.Context(), o, fleet.New(trace, morning), &screen))
	assert.NoFileExists(t, filepath.Join(dir, "spans.jsonl"))
	assert.Positive(t, paths["/v1/traces"])
}
