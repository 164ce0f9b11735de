package backends_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/internal/backends"
)

// jaeger is a Jaeger with the configuration of docs/evidence.md.
type jaeger struct {
	*server
	endpoint string // for OTLP
	query    string
}

func newJaeger(t *testing.T) jaeger {
	t.Helper()
	endpoint, health, query, grpc := address(t), address(t), address(t), address(t)
	s := newServer(t, backends.Jaeger, "http://"+health+"/status", []string{
		"OTLP_ENDPOINT=" + endpoint, "HEALTH_ENDPOINT=" + health, "QUERY_ENDPOINT=" + query, "QUERY_GRPC_ENDPOINT=" + grpc,
	}, "--config", fromDocs(t, "jaeger.yaml"))
	return jaeger{server: s, endpoint: endpoint, query: "http://" + query}
}

// jaegerSpan is a span as Jaeger's JSON has it.
type jaegerSpan struct {
	TraceID    string `json:"traceID"`
	SpanID     string `json:"spanID"`
	Name       string `json:"operationName"`
	References []struct {
		Type    string `json:"refType"`
		TraceID string `json:"traceID"`
		SpanID  string `json:"spanID"`
	} `json:"references"`
	Tags []struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	} `json:"tags"`
}

func (s jaegerSpan) tag(key string) string {
	for _, t := range s.Tags {
		if t.Key == key {
			return fmt.Sprint(t.Value)
		}
	}
	return ""
}

// leadsTo reports whether the span has a link, and not a parent, to another one.
func (s jaegerSpan) leadsTo(traceID, spanID string) bool {
	for _, r := range s.References {
		if r.Type == "FOLLOWS_FROM" && r.TraceID == traceID && r.SpanID == spanID {
			return true
		}
	}
	return false
}

// get asks Jaeger's API, and decodes the answer.
func (j jaeger) get(path string, values url.Values, into any) error {
	answer, err := http.Get(j.query + path + "?" + values.Encode())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// find returns the spans of the traces that have a span with these tags, by
// span id. The search is over all times, and Jaeger removes no duplicates if raw.
func (j jaeger) find(tags map[string]string, raw bool) (map[string][]jaegerSpan, error) {
	text, err := json.Marshal(tags)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data []struct {
			Spans []jaegerSpan `json:"spans"`
		} `json:"data"`
	}
	err = j.get("/api/traces", url.Values{
		"service": {service}, "tags": {string(text)}, "limit": {"50000"}, "raw": {strconv.FormatBool(raw)},
		"start": {"0"}, "end": {strconv.FormatInt(time.Now().Add(time.Hour).UnixMicro(), 10)},
	}, &answer)
	found := map[string][]jaegerSpan{}
	for _, trace := range answer.Data {
		for _, s := range trace.Spans {
			found[s.SpanID] = append(found[s.SpanID], s)
		}
	}
	return found, err
}

// Everything that the Collector acknowledged outlives it, though its backend was never there; and Jaeger
// shows it, by what an auditor would ask for.
func TestJaegerBehindAKilledCollector(t *testing.T) {
	j := newJaeger(t)
	queue, endpoint := queueing(t, j.endpoint)
	h := newHost(t, t.TempDir(), endpoint)
	traces := make([]context.Context, 100)
	for i := range traces {
		traces[i] = trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{15: byte(i + 1)}, SpanID: trace.SpanID{7: byte(i + 1)},
		}))
	}
	h.calls(t, size(), func(i int) context.Context { return traces[i%len(traces)] })
	want := h.evidence(t)
	require.Equal(t, size(), want.decisions)

	queue.start(t)
	flush(t, h.delivery)
	queue.kill(t)
	j.start(t)
	queue.start(t)

	var found map[string][]jaegerSpan
	eventually(t, "Jaeger finds all evidence", func() (ok bool, err error) {
		found, err = j.find(map[string]string{"ambit.authorization.id": authorization}, false)
		return len(found) >= len(want.spans), err
	})
	document := sha256.Sum256([]byte("ambit/v1/authorization\x00" + want.digest))
	var missing, several, unlinked []string
	for id, of := range want.spans {
		spans := found[id]
		switch {
		case len(spans) == 0:
			missing = append(missing, of)
		case len(spans) > 1:
			several = append(several, of)
		case of == want.digest: // the authorization itself
		case !spans[0].leadsTo(hex.EncodeToString(document[:16]), hex.EncodeToString(document[16:24])):
			unlinked = append(unlinked, of)
		}
	}
	assert.Empty(t, missing)
	assert.Empty(t, several, "shown more than once")
	assert.Empty(t, unlinked, "without a link to the authorization")
	assert.Len(t, found, len(want.spans), "and nothing else")
}
