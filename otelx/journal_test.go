package otelx_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// witness is a backend that keeps what it is told of records.
type witness map[rationale.Head]string

func (w witness) take(spans tracetest.SpanStubs) {
	for _, s := range spans {
		seq, _ := value(s, otelx.JournalSeq)
		w[rationale.Head{Journal: text(s, otelx.JournalID), Seq: uint64(seq.AsInt64()), Hash: text(s, otelx.JournalHash)}] = s.Name
	}
}

// complete checks that the backend has exactly the records that give spans.
func (w witness) complete(t *testing.T, fsys journal.FS, dir string) {
	t.Helper()
	there := map[rationale.Head]bool{}
	for e, err := range journal.ReadFS(fsys, dir) {
		if journal.Torn(err) {
			continue
		}
		require.NoError(t, err)
		head := rationale.Head{Journal: e.Envelope.Journal, Seq: e.Envelope.Seq, Hash: e.Hash}
		there[head] = true
		switch r := e.Record.(type) {
		case *rationale.Decision, *rationale.Outcome:
			assert.Contains(t, w, head, "record %d, a %s, is not at the backend", head.Seq, r.RecordKind())
		case *rationale.Lifecycle:
			if r.Authorization != nil {
				assert.Contains(t, w, head, "record %d, %s, is not at the backend", head.Seq, r.Event)
			}
		}
	}
	for head, name := range w {
		assert.True(t, there[head], "the backend has %q of record %d, which is not in the journal", name, head.Seq)
	}
}

func governedBy(t *testing.T, evidence *ledger.Memory, opts ...guard.Option) (*guard.Guard, error) {
	t.Helper()
	g, err := guard.New(guardtest.Documents(), guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
		append([]guard.Option{guard.WithLedger(evidence), guard.AllowUnsigned(), guard.WithClock(guardtest.NewClock(guardtest.Now()).Now)}, opts...)...)
	if err == nil {
		err = g.Register(guardtest.Scale())
	}
	return g, err
}

func work(ctx context.Context, g *guard.Guard, tool func(context.Context)) {
	runContext, d := g.Begin(ctx, guard.Call{Tool: guardtest.Scale().ID(), Arguments: []byte(`{"replicas":4,"_rationale":{"purpose":"load"}}`)})
	if d.Allowed() {
		if tool != nil {
			tool(runContext)
		}
		_ = g.End(runContext, d, []byte("ok"), nil)
	}
}

// Wherever the process or the machine ends while records are made and delivered,
// the next process delivers what is missing, and nothing that is not in the
// journal was ever delivered.
func TestACrashAtAnyMomentLosesNoSpan(t *testing.T) {
	total, step := 0, 1
	if testing.Short() {
		step = 7
	}
	for k := 0; k <= total; k += step {
		synctest.Test(t, func(t *testing.T) {
			fs := crashfs.New()
			random := rand.New(rand.NewPCG(uint64(k), 7))
			var dead atomic.Bool
			b, w := &backend{down: func(attempt int) error {
				if dead.Load() { // a process that has ended exports nothing
					return errDown
				}
				return flaky(attempt)
			}}, witness{}
			fs.Inject(func(c crashfs.Call) crashfs.Fault {
				if k == 0 || c.N < k {
					return crashfs.Fault{}
				}
				dead.Store(true)
				return crashfs.Fault{Err: errDown, Written: random.IntN(300)}
			})
			shift(t, fs, b)
			if k == 0 {
				total = fs.Calls()
				require.Greater(t, total, 80)
			}
			w.take(b.spans)
			fs.Inject(nil)
			fs.Unlock()
			for i, after := range []*crashfs.FS{fs, fs.Crash(random)} {
				again, seen := new(backend), witness{}
				for head, name := range w {
					seen[head] = name
				}
				evidence, err := ledger.Open("/evidence", journal.WithFS(after))
				require.NoError(t, err)
				d, err := otelx.NewDelivery(evidence.Journal().Follow("otlp"), again, otelx.WithErrorHandler(func(error) {}))
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				require.NoError(t, d.Shutdown(ctx))
				cancel()
				require.NoError(t, evidence.Close())
				seen.take(again.spans)
				seen.complete(t, after, "/evidence")
				if t.Failed() {
					t.Fatalf("call %d, %d", k, i)
				}
			}
		})
	}
}

// flaky is how an exporter fails two times of three: then some spans of what was
// read are taken, and others are not.
func flaky(attempt int) error {
	if attempt%3 != 0 {
		return errDown
	}
	return nil
}

// shift is the life of one process, which fails at any point.
func shift(t *testing.T, fs journal.FS, b *backend) {
	evidence, err := ledger.Open("/evidence", journal.WithFS(fs), journal.WithRotation(journal.Rotation{Records: 9}))
	if err != nil {
		return
	}
	defer evidence.Close()
	d, err := otelx.NewDelivery(evidence.Journal().Follow("otlp"), b, otelx.WithErrorHandler(func(error) {}))
	if err != nil {
		return
	}
	defer func() {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_ = d.Shutdown(ctx)
	}()
	g, err := governedBy(t, evidence, guard.WithTracer(d))
	if err != nil {
		return
	}
	for range 8 {
		work(t.Context(), g, nil)
		time.Sleep(400 * time.Millisecond)
	}
}

// Whatever the host's own telemetry does, the evidence is complete: under a parent
// that is not sampled, beside a provider that samples nothing, and beside one
// whose queue is full.
func TestEvidenceIsCompleteWhateverTheHostSamples(t *testing.T) {
	full := make(chan struct{})
	for name, option := range map[string]sdktrace.TracerProviderOption{
		"an unsampled parent":             sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())),
		"a provider that samples nothing": sdktrace.WithSampler(sdktrace.NeverSample()),
		"a full queue":                    sdktrace.WithBatcher(&backend{down: func(int) error { <-full; return nil }}, sdktrace.WithMaxQueueSize(1), sdktrace.WithMaxExportBatchSize(1)),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			evidence, err := ledger.Open(dir)
			require.NoError(t, err)
			b, host := new(backend), sdktrace.NewTracerProvider(option)
			d, err := otelx.NewDelivery(evidence.Journal().Follow("otlp"), b)
			require.NoError(t, err)
			g, err := governedBy(t, evidence, guard.WithTracer(d))
			require.NoError(t, err)
			ctx := context.Background()
			if name == "an unsampled parent" {
				ctx, _ = sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())).Tracer("front").Start(ctx, "request")
			}
			ctx, root := host.Tracer("host").Start(ctx, "turn")
			for range 20 {
				work(ctx, g, func(ctx context.Context) {
					_, child := host.Tracer("tool").Start(ctx, "child")
					child.End()
				})
			}
			root.End()
			require.NoError(t, d.Shutdown(context.Background()))
			require.NoError(t, evidence.Close())
			w := witness{}
			w.take(b.spans)
			w.complete(t, journal.OS(), dir)
			assert.GreaterOrEqual(t, len(w), 41)
			for _, s := range b.spans {
				if strings.HasPrefix(s.Name, "authorize ") {
					assert.Equal(t, root.SpanContext().TraceID(), s.SpanContext.TraceID())
					assert.True(t, s.SpanContext.IsSampled())
				}
			}
			if name == "a full queue" {
				close(full)
			}
			require.NoError(t, host.Shutdown(context.Background()))
		})
	}
}

// No call waits for an exporter, and none is in its way.
func TestNoCallWaitsForTheExporter(t *testing.T) {
	release := make(chan struct{})
	b := &backend{down: func(int) error { <-release; return nil }}
	evidence, err := ledger.Open(t.TempDir())
	require.NoError(t, err)
	d, err := otelx.NewDelivery(evidence.Journal().Follow("otlp"), b)
	require.NoError(t, err)
	g, err := governedBy(t, evidence, guard.WithTracer(d))
	require.NoError(t, err)
	for range 100 {
		work(context.Background(), g, nil)
	}
	close(release) // only now
	require.NoError(t, d.Shutdown(context.Background()))
	require.NoError(t, evidence.Close())
	assert.GreaterOrEqual(t, len(b.ids()), 201)
}

// heap is an exporter that looks at the memory while it is called.
type heap struct {
	counter
	peak uint64
}

func (h *heap) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if h.spans.Load()%16 == 0 || len(spans) < 100 {
		h.peak = max(h.peak, inUse())
	}
	return h.counter.ExportSpans(ctx, spans)
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The memory of a delivery does not grow with what is to be delivered.
func TestABacklogTakesNoMemory(t *testing.T) {
	records := 100_000
	if testing.Short() {
		records = 5_000
	}
	dir := t.TempDir()
	j, err := journal.Open(dir)
	require.NoError(t, err)
	defer j.Close()
	batch := make([]rationale.Record, 500)
	for i := range records / len(batch) {
		for n := range batch {
			d := denied(fmt.Sprintf("d%d-%d", i, n), rationale.BoundViolated)
			batch[n] = d
		}
		require.NoError(t, j.Append(context.Background(), batch...))
	}
	size := int64(0)
	for _, s := range j.Segments() {
		info, err := os.Stat(filepath.Join(dir, filepath.Base(s.File)))
		require.NoError(t, err)
		size += info.Size()
	}
	require.Greater(t, size, int64(records)*1000)
	clear(batch)

	h, before := new(heap), inUse()
	d, err := otelx.NewDelivery(j.Follow("otlp"), h)
	require.NoError(t, err)
	require.NoError(t, d.Shutdown(context.Background()))
	assert.Equal(t, int64(records), h.spans.Load())
	assert.Greater(t, h.peak, uint64(0))
	assert.Less(t, h.peak, before+16<<20, "of %d MiB of records", size>>20)
}

// A delivery with a meter provider publishes what its journal's work takes.
func TestMetricsOfTheJournal(t *testing.T) {
	m := newMeter()
	evidence, err := ledger.Open(t.TempDir())
	require.NoError(t, err)
	d, err := otelx.NewDelivery(evidence.Journal().Follow("otlp"), new(backend), otelx.WithMeterProvider(m))
	require.NoError(t, err)
	g, err := governedBy(t, evidence, guard.WithTracer(d))
	require.NoError(t, err)
	work(context.Background(), g, nil)
	metrics := m.collect(t)
	for _, name := range []string{otelx.MetricJournalAppend, otelx.MetricJournalSync, otelx.MetricJournalBytes, otelx.MetricDeliveryAge} {
		assert.Contains(t, metrics, name)
	}
	assert.Greater(t, m.sums(t, otelx.MetricJournalBytes)[""], int64(1000))
	require.NoError(t, d.ForceFlush(context.Background()))
	assert.Equal(t, map[string]int64{"ambit.delivery.name=otlp": 0}, m.sums(t, otelx.MetricDeliveryUndelivered))
	require.NoError(t, d.Shutdown(context.Background()))
	require.NoError(t, evidence.Close())
}

// Two deliveries of one journal tell their measurements apart: one that works does
// not hide that the other does not.
func TestMetricsOfTwoDeliveries(t *testing.T) {
	m := newMeter()
	evidence, err := ledger.Open(t.TempDir())
	require.NoError(t, err)
	down := &backend{down: func(int) error { return errDown }}
	quiet := otelx.WithErrorHandler(func(error) {})
	siem, err := otelx.NewDelivery(evidence.Journal().Follow("siem"), down, otelx.WithMeterProvider(m), quiet)
	require.NoError(t, err)
	d, err := otelx.NewDelivery(evidence.Journal().Follow("otlp"), new(backend), otelx.WithMeterProvider(m), quiet)
	require.NoError(t, err)
	g, err := governedBy(t, evidence, guard.WithTracer(d))
	require.NoError(t, err)
	work(context.Background(), g, nil)
	require.NoError(t, d.ForceFlush(context.Background()))
	undelivered := m.sums(t, otelx.MetricDeliveryUndelivered)
	assert.Len(t, undelivered, 2)
	assert.Zero(t, undelivered["ambit.delivery.name=otlp"])
	assert.Greater(t, undelivered["ambit.delivery.name=siem"], int64(0))
	age, ok := m.collect(t)[otelx.MetricDeliveryAge].Data.(metricdata.Gauge[float64])
	require.True(t, ok)
	assert.Len(t, age.DataPoints, 2)
	stop, cancel := context.WithCancel(context.Background())
	cancel()
	require.Error(t, siem.Shutdown(stop))
	require.NoError(t, d.Shutdown(context.Background()))
	require.NoError(t, evidence.Close())
}
