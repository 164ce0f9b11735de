package otelx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// JSONLines is a span exporter that writes OTLP/JSON, one line a span: each
// line is a complete TracesData message (opentelemetry-proto 1.x, in its JSON
// mapping), the format that the Collector's otlpjsonfile receiver reads. It is
// safe for concurrent use.
type JSONLines struct {
	mu     sync.Mutex
	w      io.Writer
	closed bool
}

// NewJSONLines returns an exporter that writes to w, which stays the caller's:
// it is neither flushed nor closed.
func NewJSONLines(w io.Writer) *JSONLines { return &JSONLines{w: w} }

// ExportSpans writes the spans in order, with one Write for each, and stops at the first error.
// After Shutdown it fails.
func (e *JSONLines) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errors.New("write spans: the exporter was shut down")
	}
	for _, span := range spans {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("write spans: %w", err)
		}
		line, err := json.Marshal(tracesData(span))
		if err != nil {
			return fmt.Errorf("write spans: %w", err)
		}
		if _, err := e.w.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("write spans: %w", err)
		}
	}
	return nil
}

// Shutdown ends the exporter.
func (e *JSONLines) Shutdown(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return nil
}

// The messages of OTLP that a span needs, as its JSON mapping spells them.
type (
	otlpTraces struct {
		ResourceSpans []otlpResourceSpans `json:"resourceSpans"`
	}
	otlpResourceSpans struct {
		Resource   otlpResource     `json:"resource"`
		ScopeSpans []otlpScopeSpans `json:"scopeSpans"`
		SchemaURL  string           `json:"schemaUrl,omitempty"`
	}
	otlpResource struct {
		Attributes []otlpKeyValue `json:"attributes,omitempty"`
	}
	otlpScopeSpans struct {
		Scope otlpScope  `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	otlpScope struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	}
	otlpSpan struct {
		TraceID           string         `json:"traceId"`
		SpanID            string         `json:"spanId"`
		TraceState        string         `json:"traceState,omitempty"`
		ParentSpanID      string         `json:"parentSpanId,omitempty"`
		Flags             uint32         `json:"flags"`
		Name              string         `json:"name"`
		Kind              int            `json:"kind"`
		StartTimeUnixNano string         `json:"startTimeUnixNano"`
		EndTimeUnixNano   string         `json:"endTimeUnixNano"`
		Attributes        []otlpKeyValue `json:"attributes,omitempty"`
		Links             []otlpLink     `json:"links,omitempty"`
		Events            []otlpEvent    `json:"events,omitempty"`
		Status            otlpStatus     `json:"status"`
	}
	otlpLink struct {
		TraceID    string         `json:"traceId"`
		SpanID     string         `json:"spanId"`
		TraceState string         `json:"traceState,omitempty"`
		Attributes []otlpKeyValue `json:"attributes,omitempty"`
		Flags      uint32         `json:"flags"`
	}
	otlpEvent struct {
		TimeUnixNano string         `json:"timeUnixNano"`
		Name         string         `json:"name"`
		Attributes   []otlpKeyValue `json:"attributes,omitempty"`
	}
	otlpStatus struct {
		Message string `json:"message,omitempty"`
		Code    int    `json:"code,omitempty"`
	}
	otlpKeyValue struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
)

func tracesData(s sdktrace.ReadOnlySpan) otlpTraces {
	scope := s.InstrumentationScope()
	span := otlpSpan{
		TraceID: s.SpanContext().TraceID().String(), SpanID: s.SpanContext().SpanID().String(),
		TraceState: s.SpanContext().TraceState().String(),
		Flags:      otlpFlags(s.SpanContext().TraceFlags(), s.Parent().IsRemote()),
		Name:       s.Name(), Kind: int(trace.ValidateSpanKind(s.SpanKind())), // the two enums agree
		StartTimeUnixNano: strconv.FormatInt(s.StartTime().UnixNano(), 10),
		EndTimeUnixNano:   strconv.FormatInt(s.EndTime().UnixNano(), 10),
		Attributes:        otlpAttributes(s.Attributes()),
		Status:            otlpStatus{Message: s.Status().Description, Code: otlpCode(s.Status().Code)},
	}
	if s.Parent().SpanID().IsValid() {
		span.ParentSpanID = s.Parent().SpanID().String()
	}
	for _, l := range s.Links() {
		span.Links = append(span.Links, otlpLink{
			TraceID: l.SpanContext.TraceID().String(), SpanID: l.SpanContext.SpanID().String(),
			TraceState: l.SpanContext.TraceState().String(), Attributes: otlpAttributes(l.Attributes),
			Flags: otlpFlags(l.SpanContext.TraceFlags(), l.SpanContext.IsRemote()),
		})
	}
	for _, e := range s.Events() {
		span.Events = append(span.Events, otlpEvent{
			strconv.FormatInt(e.Time.UnixNano(), 10), e.Name, otlpAttributes(e.Attributes),
		})
	}
	rs := otlpResourceSpans{ScopeSpans: []otlpScopeSpans{{otlpScope{scope.Name, scope.Version}, []otlpSpan{span}}}}
	if r := s.Resource(); r != (*resource.Resource)(nil) {
		rs.Resource.Attributes, rs.SchemaURL = otlpAttributes(r.Attributes()), r.SchemaURL()
	}
	return otlpTraces{[]otlpResourceSpans{rs}}
}

// otlpFlags adds to the W3C flags whether the parent, or the linked span, is
// remote: bit 8 says that bit 9 is known.
func otlpFlags(flags trace.TraceFlags, remote bool) uint32 {
	const known, isRemote = 1 << 8, 1 << 9
	if remote {
		return uint32(flags) | known | isRemote
	}
	return uint32(flags) | known
}

func otlpCode(c codes.Code) int {
	switch c {
	case codes.Ok:
		return 1
	case codes.Error:
		return 2
	default:
		return 0
	}
}

func otlpAttributes(kvs []attribute.KeyValue) []otlpKeyValue {
	var out []otlpKeyValue
	for _, kv := range kvs {
		out = append(out, otlpKeyValue{string(kv.Key), otlpValue(kv.Value)})
	}
	return out
}

func otlpValue(v attribute.Value) map[string]any {
	switch v.Type() {
	case attribute.BOOL:
		return map[string]any{"boolValue": v.AsBool()}
	case attribute.INT64:
		return map[string]any{"intValue": strconv.FormatInt(v.AsInt64(), 10)}
	case attribute.FLOAT64:
		return map[string]any{"doubleValue": otlpDouble(v.AsFloat64())}
	case attribute.BOOLSLICE:
		return otlpList(v.AsBoolSlice(), attribute.BoolValue)
	case attribute.INT64SLICE:
		return otlpList(v.AsInt64Slice(), attribute.Int64Value)
	case attribute.FLOAT64SLICE:
		return otlpList(v.AsFloat64Slice(), attribute.Float64Value)
	case attribute.STRINGSLICE:
		return otlpList(v.AsStringSlice(), attribute.StringValue)
	case attribute.SLICE:
		return otlpList(v.AsSlice(), func(v attribute.Value) attribute.Value { return v })
	case attribute.MAP:
		return map[string]any{"kvlistValue": map[string]any{"values": otlpAttributes(v.AsMap())}}
	case attribute.BYTESLICE:
		return map[string]any{"bytesValue": v.AsByteSlice()}
	case attribute.STRING:
		return map[string]any{"stringValue": v.AsString()}
	default: // the empty value
		return map[string]any{}
	}
}

// otlpDouble writes what JSON numbers cannot as the JSON mapping's strings.
func otlpDouble(f float64) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return f
}

func otlpList[T any](list []T, value func(T) attribute.Value) map[string]any {
	values := make([]map[string]any, len(list))
	for i, v := range list {
		values[i] = otlpValue(value(v))
	}
	return map[string]any{"arrayValue": map[string]any{"values": values}}
}
