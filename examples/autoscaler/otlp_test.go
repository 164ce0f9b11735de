package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

// What the OTLP exporter says of a collector's refusal is understood: the spans at
// fault are isolated and kept, the rest arrives. These errors have no exported
// type, so a new version of the exporter has to pass here.
func TestRefusalsOverOTLPAreUnderstood(t *testing.T) {
	for name, refuse := range map[string]http.HandlerFunc{
		"partial success": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}`)
		},
		"bad request":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "malformed", http.StatusBadRequest) },
		"too large":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestEntityTooLarge) },
		"unauthorized": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var taken [][]byte
			refusals := 0
			ctx, enough := context.WithCancel(context.Background())
			defer enough()
			collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				mu.Lock()
				defer mu.Unlock()
				if bytes.Contains(body, []byte("poison")) {
					refuse(w, r)
					if refusals++; refusals == 5 && name == "unauthorized" {
						enough()
					}
					return
				}
				taken = append(taken, body)
			}))
			defer collector.Close()
			l, err := ledger.Open(t.TempDir())
			require.NoError(t, err)
			defer l.Close()
			for _, class := range []string{"a-class", "poison", "z-class"} {
				now := time.Now()
				require.NoError(t, l.Admit(context.Background(), &rationale.Decision{ID: rationale.NewID(now), At: now, Class: class, Tool: rationale.Tool{Name: "t"}}))
			}
			exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(collector.URL))
			require.NoError(t, err)
			d, err := otelx.NewDelivery(l.Journal().Follow("otlp"), exporter, otelx.WithErrorHandler(func(error) {}))
			require.NoError(t, err)
			flushed := d.ForceFlush(ctx)
			rejected := d.Healthy()
			ended := d.Shutdown(ctx)
			mu.Lock()
			defer mu.Unlock()
			all := bytes.Join(taken, nil)
			assert.Contains(t, string(all), "a-class")
			if name == "unauthorized" {
				assert.Error(t, flushed, "a collector that does not know us may know us later")
				assert.ErrorContains(t, ended, "2 records remain")
				return
			}
			require.NoError(t, flushed)
			assert.ErrorContains(t, rejected, "1 spans were rejected")
			assert.Contains(t, string(all), "z-class")
			assert.NoError(t, ended)
		})
	}
}
