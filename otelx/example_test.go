package otelx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

// Evidence spans go to any exporter; here to a writer, as OTLP/JSON lines.
func ExampleNewDelivery() {
	var out strings.Builder
	tracer, err := otelx.NewDelivery(otelx.NewJSONLines(&out))
	if err != nil {
		fmt.Println(err)
		return
	}
	// A guard calls this, once the decision is durable.
	d := &rationale.Decision{ID: "019a3f6e-0000-7000-8000-000000000000", At: time.Now(), Tool: rationale.Tool{Name: "k8s.scale"}}
	tracer.Decided(context.Background(), d, time.Millisecond)

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := tracer.Shutdown(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Contains(out.String(), `"name":"authorize k8s.scale"`))
	// Output: true
}

func ExampleNewLive() {
	provider := trace.NewTracerProvider() // the host's own
	tracer, err := otelx.NewLive(provider)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tracer.Shutdown(context.Background())
	fmt.Println(tracer.Host(context.Background()) == rationale.TraceContext{})
	// Output: true
}

func ExampleNewJSONLines() {
	exporter := otelx.NewJSONLines(os.Stdout)
	provider := trace.NewTracerProvider(trace.WithSyncer(exporter))
	fmt.Println(provider.Shutdown(context.Background()))
	// Output: <nil>
}

// The span of an authorization is found by the digest that every record of its
// decisions carries.
func ExampleAuthorizationSpan() {
	sc := otelx.AuthorizationSpan("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
	text, _ := json.Marshal(sc.TraceID())
	fmt.Println(string(text))
	// Output: "625876c19e56aacbf2d12de812b9aa83"
}
