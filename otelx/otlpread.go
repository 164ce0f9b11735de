package otelx

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

var errNotOne = errors.New("it is not one span in OTLP/JSON")

// span returns the one span that tracesData made t of.
func (t otlpTraces) span() (sdktrace.ReadOnlySpan, error) {
	if len(t.ResourceSpans) != 1 || len(t.ResourceSpans[0].ScopeSpans) != 1 || len(t.ResourceSpans[0].ScopeSpans[0].Spans) != 1 {
		return nil, errNotOne
	}
	rs := t.ResourceSpans[0]
	scope, s := rs.ScopeSpans[0].Scope, rs.ScopeSpans[0].Spans[0]
	var errs [9]error
	stub := tracetest.SpanStub{
		Name: s.Name, SpanKind: trace.SpanKind(s.Kind), // the two enums agree
		Status:               sdktrace.Status{Code: sdkCode(s.Status.Code), Description: s.Status.Message},
		InstrumentationScope: instrumentation.Scope{Name: scope.Name, Version: scope.Version},
	}
	stub.SpanContext, errs[0] = spanContext(s.TraceID, s.SpanID, s.TraceState, s.Flags&0xff)
	if s.ParentSpanID != "" {
		stub.Parent, errs[1] = spanContext(s.TraceID, s.ParentSpanID, s.TraceState, s.Flags)
	}
	stub.StartTime, errs[2] = unixNano(s.StartTimeUnixNano)
	stub.EndTime, errs[3] = unixNano(s.EndTimeUnixNano)
	stub.Attributes, errs[4] = sdkAttributes(s.Attributes)
	for _, l := range s.Links {
		sc, err := spanContext(l.TraceID, l.SpanID, l.TraceState, l.Flags)
		kvs, bad := sdkAttributes(l.Attributes)
		errs[5] = errors.Join(errs[5], err, bad)
		stub.Links = append(stub.Links, sdktrace.Link{SpanContext: sc, Attributes: kvs})
	}
	for _, e := range s.Events {
		at, err := unixNano(e.TimeUnixNano)
		kvs, bad := sdkAttributes(e.Attributes)
		errs[6] = errors.Join(errs[6], err, bad)
		stub.Events = append(stub.Events, sdktrace.Event{Name: e.Name, Time: at, Attributes: kvs})
	}
	of, err := sdkAttributes(rs.Resource.Attributes)
	errs[7] = err
	stub.Resource = resource.NewWithAttributes(rs.SchemaURL, of...)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return stub.Snapshot(), nil
}

// spanContext reads ids. The flags are OTLP's: see otlpFlags.
func spanContext(traceID, spanID, state string, flags uint32) (trace.SpanContext, error) {
	t, err := trace.TraceIDFromHex(traceID)
	s, bad := trace.SpanIDFromHex(spanID)
	ts, worse := trace.ParseTraceState(state)
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: t, SpanID: s, TraceState: ts, TraceFlags: trace.TraceFlags(flags & 0xff), Remote: flags&(1<<9) != 0,
	}), errors.Join(err, bad, worse)
}

func unixNano(text string) (time.Time, error) {
	ns, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(0, ns).UTC(), err
}

func sdkCode(code int) codes.Code {
	switch code {
	case 1:
		return codes.Ok
	case 2:
		return codes.Error
	default:
		return codes.Unset
	}
}

func sdkAttributes(kvs []otlpKeyValue) ([]attribute.KeyValue, error) {
	var out []attribute.KeyValue
	var errs []error
	for _, kv := range kvs {
		v, err := sdkValue(kv.Value)
		if err != nil {
			errs = append(errs, fmt.Errorf("attribute %s: %w", kv.Key, err))
		}
		out = append(out, attribute.KeyValue{Key: attribute.Key(kv.Key), Value: v})
	}
	return out, errors.Join(errs...)
}

// sdkValue reads what otlpValue writes.
func sdkValue(value map[string]any) (attribute.Value, error) {
	for kind, v := range value {
		switch v := v.(type) {
		case bool:
			return attribute.BoolValue(v), nil
		case float64:
			return attribute.Float64Value(v), nil
		case string:
			return sdkText(kind, v)
		case map[string]any:
			values, _ := v["values"].([]any) // an empty list has none
			if kind == "kvlistValue" {
				return sdkMap(values)
			}
			return sdkList(values)
		}
		return attribute.Value{}, fmt.Errorf("the value is a %s", kind)
	}
	return attribute.Value{}, nil
}

func sdkText(kind, text string) (attribute.Value, error) {
	switch kind {
	case "stringValue":
		return attribute.StringValue(text), nil
	case "intValue":
		n, err := strconv.ParseInt(text, 10, 64)
		return attribute.Int64Value(n), err
	case "doubleValue":
		f, err := strconv.ParseFloat(text, 64) // NaN and Infinity
		return attribute.Float64Value(f), err
	case "bytesValue":
		b, err := base64.StdEncoding.DecodeString(text)
		return attribute.ByteSliceValue(b), err
	}
	return attribute.Value{}, fmt.Errorf("the value is a %s", kind)
}

func sdkMap(values []any) (attribute.Value, error) {
	var kvs []attribute.KeyValue
	for _, v := range values {
		member, _ := v.(map[string]any)
		key, _ := member["key"].(string)
		of, _ := member["value"].(map[string]any)
		value, err := sdkValue(of)
		if err != nil {
			return attribute.Value{}, err
		}
		kvs = append(kvs, attribute.KeyValue{Key: attribute.Key(key), Value: value})
	}
	return attribute.MapValue(kvs...), nil
}

// sdkList reads a list: of one kind where all its values are.
func sdkList(values []any) (attribute.Value, error) {
	list := make([]attribute.Value, len(values))
	kinds := map[attribute.Type]bool{}
	for i, v := range values {
		of, _ := v.(map[string]any)
		var err error
		if list[i], err = sdkValue(of); err != nil {
			return attribute.Value{}, err
		}
		kinds[list[i].Type()] = true
	}
	switch {
	case len(kinds) != 1:
		return attribute.SliceValue(list...), nil
	case kinds[attribute.STRING]:
		return attribute.StringSliceValue(each(list, attribute.Value.AsString)), nil
	case kinds[attribute.BOOL]:
		return attribute.BoolSliceValue(each(list, attribute.Value.AsBool)), nil
	case kinds[attribute.INT64]:
		return attribute.Int64SliceValue(each(list, attribute.Value.AsInt64)), nil
	case kinds[attribute.FLOAT64]:
		return attribute.Float64SliceValue(each(list, attribute.Value.AsFloat64)), nil
	}
	return attribute.SliceValue(list...), nil
}

func each[T any](list []attribute.Value, as func(attribute.Value) T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = as(v)
	}
	return out
}
