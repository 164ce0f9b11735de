package backends_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const (
	service       = "payments-autoscaler-host"
	authorization = "payments-autoscaler"
	document      = `apiVersion: ambit/v1
kind: Authorization
id: ` + authorization + `
owner: {id: owner@bank.example}
agent: {id: autoscaler, environments: [prod]}
grant: {by: [{id: granter@bank.example}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
approval: {by: [group:oncall]}
classes:
  - id: scaling
    tools: [k8s.scale]
    tier: parameterized
    bounds:
      - {expr: "args.replicas <= 60", why: approved capacity}
    rationale: [purpose]
    record: {rationale: telemetry}
`
)

// size is how many calls a test makes; each is recorded as a decision and an outcome.
func size() int {
	if testing.Short() {
		return 1000
	}
	return 10000
}

// host is a guard with evidence in a folder and its delivery to an OTLP endpoint.
type host struct {
	guard    *guard.Guard
	ledger   *ledger.Memory
	delivery *otelx.Delivery
	dir      string
	once     sync.Once
}

// newHost opens the evidence in a folder and delivers it to an endpoint.
func newHost(t *testing.T, dir, endpoint string) *host {
	t.Helper()
	h := &host{dir: dir}
	var err error
	h.ledger, err = ledger.Open(h.dir)
	require.NoError(t, err)
	h.delivery = h.deliver(t, "otlp", endpoint)
	h.guard, err = guard.New([]authority.Document{{Name: "autoscaler.yaml", Data: []byte(document)}},
		guard.Agent{ID: "autoscaler", Environment: "prod"},
		guard.WithLedger(h.ledger), guard.WithTracer(h.delivery), guard.AllowUnsigned())
	require.NoError(t, err)
	require.NoError(t, h.guard.Register(authority.Tool{
		Name:   "k8s.scale",
		Schema: json.RawMessage(`{"type":"object","properties":{"replicas":{"type":"integer"}},"required":["replicas"]}`),
	}))
	t.Cleanup(func() { h.close(t) })
	return h
}

// deliver starts a delivery of the host's journal, under a name of its own.
func (h *host) deliver(t *testing.T, name, endpoint string) *otelx.Delivery {
	t.Helper()
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL("http://"+endpoint+"/v1/traces"),
		// Delivery tries again by itself.
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	require.NoError(t, err)
	d, err := otelx.NewDelivery(h.ledger.Journal().Follow(name), exporter,
		otelx.WithErrorHandler(func(error) {}), // the backends of these tests are down on purpose
		otelx.WithResource(resource.NewSchemaless(attribute.String("service.name", service))))
	require.NoError(t, err)
	return d
}

// flush returns once the delivery's backend has taken, or refused, all that was recorded.
func flush(t *testing.T, d *otelx.Delivery) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, d.ForceFlush(ctx))
}

// close ends the host; what was not delivered by then is not waited for.
func (h *host) close(t *testing.T) {
	h.once.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = h.delivery.Shutdown(ctx) // it says what remains; the tests look at what arrived
		assert.NoError(t, h.ledger.Close())
	})
}

// calls makes n guarded calls, 64 at a time, each with its outcome, under the context that in returns for its number.
func (h *host) calls(t *testing.T, n int, in func(i int) context.Context) {
	t.Helper()
	var next, failed atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := h.call(in(int(i)), int(i), "load"); err != nil && failed.Add(1) == 1 {
					t.Errorf("call %d: %v", i, err)
				}
			}
		})
	}
	group.Wait()
	require.Zero(t, failed.Load())
}

func (h *host) call(ctx context.Context, i int, purpose string) error {
	ctx, d := h.guard.Begin(ctx, guard.Call{
		Tool: classify.ToolID{Name: "k8s.scale"}, ID: fmt.Sprintf("call-%d", i),
		Arguments: fmt.Appendf(nil, `{"replicas":%d,"_rationale":{"purpose":%q}}`, i%60, purpose),
	})
	if !d.Allowed() {
		return fmt.Errorf("not allowed: %s", d.Verdict())
	}
	return h.guard.End(ctx, d, []byte("scaled"), nil)
}

// evidence is what the journal says must arrive.
type evidence struct {
	spans     map[string]string // by span id: the decision's id, or of an authorization its digest
	decisions int
	decision  string // one of them
	digest    string // of the authorization's document
}

// evidence reads the journal and derives the ids of its records' spans as
// docs/telemetry.md says.
func (h *host) evidence(t *testing.T) evidence {
	t.Helper()
	e := evidence{spans: map[string]string{}}
	for entry, err := range journal.Read(h.dir) {
		require.NoError(t, err)
		switch r := entry.Record.(type) {
		case *rationale.Decision:
			e.decisions++
			e.decision = r.ID
			e.spans[spanID("ambit/v1/decision", r.ID)] = r.ID
		case *rationale.Outcome:
			e.spans[spanID("ambit/v1/execution", r.Decision)] = r.Decision
		case *rationale.Lifecycle:
			if r.Event == rationale.EventLoaded && r.Authorization != nil {
				e.digest = r.Authorization.Digest
				e.spans[spanID("ambit/v1/authorization", e.digest)] = e.digest
			}
		}
	}
	return e
}

func spanID(domain, id string) string {
	sum := sha256.Sum256([]byte(domain + "\x00" + id))
	return hex.EncodeToString(sum[16:24])
}

// heap returns how much memory is in use once garbage is gone.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// noTrace is the context of a host without traces.
func noTrace(int) context.Context { return context.Background() }
