package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
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

// provider answers like an OpenAI-compatible API: each turn, the model scales a
// deployment by a call with a terminal escape in its text, and then closes.
type provider struct {
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
	p.mu.Unlock()
	message := map[string]any{"role": "assistant", "content": "Done."}
	if last := request.Messages[len(request.Messages)-1]; last.Role == "user" {
		message["content"] = "Scaling \x1b[2Jup.\nNow."
		message["tool_calls"] = []any{map[string]any{"id": "abc", "type": "function", "function": map[string]any{
			"name":      "k8s_scale_deployment",
			"arguments": `{"workload":"reader","region":"eu-west-1","replicas":8,"_rationale":{"purpose":"more load"}}`,
		}}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "1", "object": "chat.completion", "model": request.Model,
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": message}},
	})
}

func TestRealModelTakesThePlannersPlace(t *testing.T) {
	p := &provider{}
	server := httptest.NewServer(p)
	defer server.Close()
	dir := t.TempDir()
	trace := fleet.Trace{{At: time.Second, Context: 100, Generated: 10}}
	o := options{trace: trace, traceName: "t", evidence: dir, openAI: openAI{key: "secret", model: "some-model", baseURL: server.URL}}
	var screen bytes.Buffer
	require.NoError(t, work(t.Context(), o, fleet.New(trace, morning), &screen))

	require.Len(t, p.requests, 4, "two turns of two steps")
	assert.Equal(t, "some-model", p.requests[0].Model)
	names := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	for _, tool := range p.requests[0].Tools {
		assert.Regexp(t, names, tool.Function.Name, "model APIs refuse other names")
		if tool.Function.Name == "k8s_scale_deployment" {
			assert.Contains(t, tool.Function.Parameters.Properties, rationale.Parameter)
		}
	}
	assert.Contains(t, p.requests[1].Messages[len(p.requests[1].Messages)-1].Content, `"rationale_missing"`)
	assert.Contains(t, screen.String(), "“Scaling \ufffd[2Jup. Now.”")
	assert.NotContains(t, screen.String(), "\x1b")

	r := result{outcomes: map[string][]*rationale.Outcome{}}
	r.read(t, dir)
	assert.Equal(t, rationale.Model{Provider: "openai", Name: "some-model", Basis: "configured"}, r.decisions[0].Model)
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
