package otelx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

func spanContext(flags trace.TraceFlags, remote bool) trace.SpanContext {
	traceID, _ := trace.TraceIDFromHex(hostTrace)
	spanID, _ := trace.SpanIDFromHex(hostSpan)
	state, _ := trace.ParseTraceState("k=v")
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: flags, TraceState: state, Remote: remote,
	})
}

func TestJSONLinesSpellOTLP(t *testing.T) {
	span := tracetest.SpanStub{
		Name: "a\nb", SpanContext: spanContext(1, false), Parent: spanContext(0, true), SpanKind: trace.SpanKindClient,
		StartTime: time.Unix(1, 5), EndTime: time.Unix(2, 0),
		Attributes: []attribute.KeyValue{
			attribute.String("s", "v"), attribute.Int64("i", math.MaxInt64), attribute.Bool("b", true), attribute.Float64("f", 1.5),
			attribute.Float64("nan", math.NaN()), attribute.Float64("inf", math.Inf(1)), attribute.Float64("-inf", math.Inf(-1)),
			attribute.StringSlice("ss", []string{"x", "y"}), attribute.Int64Slice("is", []int64{1}),
			attribute.BoolSlice("bs", []bool{false}), attribute.Float64Slice("fs", []float64{2}), attribute.StringSlice("none", nil),
			attribute.ByteSlice("by", []byte{0xff}), attribute.Map("m", attribute.String("k", "v")),
			attribute.Slice("mixed", attribute.StringValue("x"), attribute.BoolValue(true)),
			{Key: "empty"},
		},
		Events:               []sdktrace.Event{{Name: "e", Time: time.Unix(1, 6), Attributes: []attribute.KeyValue{attribute.Bool("x", true)}}},
		Links:                []sdktrace.Link{{SpanContext: spanContext(1, false), Attributes: []attribute.KeyValue{attribute.String("ambit.link", "decision")}}},
		Status:               sdktrace.Status{Code: codes.Error, Description: "d"},
		Resource:             resource.NewWithAttributes("https://schema", attribute.String("service.name", "svc")),
		InstrumentationScope: instrumentation.Scope{Name: "scope", Version: "1"},
	}
	var out bytes.Buffer
	require.NoError(t, otelx.NewJSONLines(&out).ExportSpans(context.Background(), tracetest.SpanStubs{span}.Snapshots()))
	want, err := os.ReadFile("testdata/span.json")
	require.NoError(t, err)
	assert.JSONEq(t, string(want), out.String())
	assert.Equal(t, 1, strings.Count(out.String(), "\n"))
}

func TestJSONLinesOfRecords(t *testing.T) {
	var out bytes.Buffer
	tracer, err := otelx.NewDelivery(newSource(allowed("d1"), outcome("d1", rationale.StatusSuccess)), otelx.NewJSONLines(&out))
	require.NoError(t, err)
	require.NoError(t, tracer.Shutdown(context.Background()))
	var names []string
	for line := range strings.Lines(out.String()) {
		var traces struct {
			ResourceSpans []struct {
				ScopeSpans []struct{ Spans []struct{ Name string } }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(line), &traces))
		names = append(names, traces.ResourceSpans[0].ScopeSpans[0].Spans[0].Name)
	}
	assert.Equal(t, []string{"authorize k8s/scale", "execute_tool k8s/scale"}, names)
}

func TestJSONLinesErrors(t *testing.T) {
	spans := tracetest.SpanStubs{{Name: "a"}, {Name: "b"}}.Snapshots()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	exporter := otelx.NewJSONLines(&out)
	assert.ErrorIs(t, exporter.ExportSpans(ctx, spans), context.Canceled)
	assert.Zero(t, out.Len())
	assert.ErrorIs(t, otelx.NewJSONLines(brokenWriter{}).ExportSpans(context.Background(), spans), errDown)
	require.NoError(t, exporter.Shutdown(context.Background()))
	assert.EqualError(t, exporter.ExportSpans(context.Background(), spans), "write spans: the exporter was shut down")
	assert.Zero(t, out.Len())
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errDown }
