package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/otelx"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// evidence is where the run leaves its records and spans.
type evidence struct {
	ledger *ledger.Memory
	tracer *otelx.Delivery
	spans  string // the file, or where OTLP goes

	file *os.File
}

func openEvidence(ctx context.Context, o options, f *fleet.Fleet, out *screen) (_ *evidence, err error) {
	if earlier, _ := filepath.Glob(filepath.Join(o.evidence, "*.seg")); len(earlier) > 0 {
		// For a ledger time only goes on: its tickets of that morning have expired.
		return nil, fmt.Errorf("%s has the records of an earlier run, and the simulated morning begins anew: name another folder, or none", o.evidence)
	}
	e := &evidence{}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	// What stands on the screen is what stands in the evidence.
	shown := journal.WithObserver(func(rec rationale.Record, _ journal.Position) { out.record(rec) })
	if e.ledger, err = ledger.Open(o.evidence, shown, journal.WithClock(f.Now)); err != nil {
		return nil, err
	}
	exporter, err := e.exporter(ctx, o)
	if err != nil {
		return nil, err
	}
	e.tracer, err = otelx.NewDelivery(e.ledger.Journal().Follow("otlp"), exporter, otelx.WithResource(resource.NewSchemaless(attribute.String("service.name", "autoscaler"))))
	return e, err
}

// exporter sends spans to a file, or to OTLP where the environment asks for it.
func (e *evidence) exporter(ctx context.Context, o options) (sdktrace.SpanExporter, error) {
	if o.otlp {
		e.spans = "OTLP, as the environment says"
		return otlptracehttp.New(ctx)
	}
	e.spans = filepath.Join(o.evidence, "spans.jsonl")
	var err error
	if e.file, err = os.OpenFile(e.spans, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	return otelx.NewJSONLines(e.file), nil
}

// close delivers what is left. What a collector does not take in time stays in the
// journal.
func (e *evidence) close() error {
	var errs []error
	if e.tracer != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		errs = append(errs, e.tracer.Shutdown(ctx))
	}
	if e.file != nil {
		errs = append(errs, e.file.Close())
	}
	if e.ledger != nil {
		errs = append(errs, e.ledger.Close())
	}
	return errors.Join(errs...)
}
