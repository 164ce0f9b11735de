package otelx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
)

// Evidence spans go to any exporter; here to a writer, as OTLP/JSON lines. They
// come from the ledger's journal, and the next process goes on where this one stops.
func ExampleNewDelivery() {
	dir, err := os.MkdirTemp("", "evidence")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	evidence, err := ledger.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer evidence.Close() // after the delivery
	var out strings.Builder
	delivery, err := otelx.NewDelivery(evidence.Journal().Follow("otlp"), otelx.NewJSONLines(&out))
	if err != nil {
		fmt.Println(err)
		return
	}
	// A guard with WithLedger(evidence) and WithTracer(delivery) does this.
	err = evidence.Admit(context.Background(), &rationale.Decision{ID: rationale.NewID(time.Now()), At: time.Now(), Tool: rationale.Tool{Name: "k8s.scale"}})
	if err != nil {
		fmt.Println(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := delivery.Shutdown(ctx); err != nil {
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
