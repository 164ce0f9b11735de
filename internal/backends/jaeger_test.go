package backends_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

func TestJaegerStarts(t *testing.T) {
	j := newJaeger(t)
	j.start(t)
	found, err := j.find(nil, false)
	require.NoError(t, err)
	require.Empty(t, found)
}
