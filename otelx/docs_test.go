package otelx_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ambit-go/ambit/otelx"
)

// constants returns the string constants of a file of this package whose names
// are exported, by name.
func constants(t *testing.T, name string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, v := range spec.Values {
			lit, ok := v.(*ast.BasicLit)
			if ok && lit.Kind == token.STRING && spec.Names[i].IsExported() {
				text, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				out[spec.Names[i].Name] = text
			}
		}
		return true
	})
	return out
}

func telemetryPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/telemetry.md")
	require.NoError(t, err)
	return string(page)
}

var firstCell = regexp.MustCompile("(?m)^\\| `((?:ambit|gen_ai|error)\\.[a-z_.]+)` \\| (string|string\\[\\]|int|bool|counter|histogram|counter \\(observed\\)|up-down counter \\(observed\\)|gauge \\(observed\\)) \\|")

func TestPageListsEveryAttributeAndMetric(t *testing.T) {
	page := telemetryPage(t)
	listed := map[string]string{}
	for _, row := range firstCell.FindAllStringSubmatch(page, -1) {
		assert.NotContains(t, listed, row[1], "listed twice")
		listed[row[1]] = row[2]
	}
	inTables := map[string]bool{otelx.LinkKind: true, otelx.Reason: true, otelx.DeliveryResult: true, otelx.DeliveryName: true} // of links and metrics
	known := map[string]bool{}
	for name, key := range constants(t, "attributes.go") {
		switch {
		case strings.HasPrefix(name, "Link") && name != "LinkKind", name == "DigestSuffix", inTables[key]:
			assert.Contains(t, page, "`"+key+"`", name)
		default:
			assert.Contains(t, listed, key, "docs/telemetry.md does not list %s", name)
			known[key] = true
		}
	}
	metrics := constants(t, "metrics.go")
	require.NotEmpty(t, metrics)
	for name, key := range metrics {
		assert.Regexp(t, "counter|histogram|gauge", listed[key], "docs/telemetry.md does not list %s", name)
		known[key] = true
	}
	require.Greater(t, len(known), 60)
	for key := range listed {
		assert.True(t, known[key], "docs/telemetry.md lists %s, which does not exist", key)
	}
	assert.Contains(t, page, "`"+otelx.ScopeName+"`")
}

// What spans carry has the type that the page says.
func TestPageTypes(t *testing.T) {
	listed := map[string]string{}
	for _, row := range firstCell.FindAllStringSubmatch(telemetryPage(t), -1) {
		listed[row[1]] = row[2]
	}
	d := allowed("d")
	d.Telemetry = []string{"arguments", "rationale", "reasoning", "facts"}
	authorization, decision, execution := oneCall(t, d)
	answers := delivered(t, approved("d1"), judged("d1"))
	for _, s := range []struct {
		on   string
		span tracetest.SpanStub
	}{{"A", authorization}, {"D", decision}, {"E", execution}, {"P", answers[0]}, {"P", answers[1]}} {
		for _, kv := range s.span.Attributes {
			want := map[string]string{"STRING": "string", "STRINGSLICE": "string[]", "INT64": "int", "BOOL": "bool"}[kv.Value.Type().String()]
			assert.Equal(t, listed[string(kv.Key)], want, kv.Key)
			row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(string(kv.Key)) + "` \\| [^|]* \\| ([^|]*) \\|").FindStringSubmatch(telemetryPage(t))
			require.NotNil(t, row, kv.Key)
			assert.Contains(t, row[1], s.on, "%s is not said to be on this span", kv.Key)
		}
	}
}

// The metrics that exist have the units that the page says.
func TestPageUnits(t *testing.T) {
	page := telemetryPage(t)
	bothTracers(t, func(t *testing.T, tracer decider, m *meter) {
		tracer.Decided(t.Context(), denied("d", "expired"), 0)
		tracer.Shadow(func() (uint64, uint64) { return 1, 1 })
		for name, metric := range m.collect(t) {
			assert.Regexp(t, "\\| `"+regexp.QuoteMeta(name)+"` \\| [^|]* \\| `"+regexp.QuoteMeta(metric.Unit)+"` \\|", page)
		}
	})
}

var (
	metricRow  = regexp.MustCompile("(?m)^\\| `(ambit\\.[a-z_.]+)` \\| ((?:up-down )?[a-z]+)( \\(observed\\))? \\| `([^`]+)` \\|")
	alertExpr  = regexp.MustCompile(`(?m)^        expr: (?:(.*)|>-((?:\n          .*)+))$`)
	metricName = regexp.MustCompile(`\bambit_[a-z_]+`)
	increasing = regexp.MustCompile(`increase\((ambit_[a-z_]+)`)
)

// The alerts that operators copy name metrics as Prometheus does, and those of
// counters that begin with the first failure notice the first.
func TestAlertsNameMetrics(t *testing.T) {
	known := map[string]bool{"ambit_reason": true} // a label
	observed := map[string]bool{}
	for _, row := range metricRow.FindAllStringSubmatch(telemetryPage(t), -1) {
		name := strings.ReplaceAll(row[1], ".", "_") + map[string]string{"s": "_seconds", "By": "_bytes"}[row[4]]
		switch row[2] {
		case "counter":
			known[name+"_total"], observed[name+"_total"] = true, row[3] != ""
		case "histogram":
			known[name+"_bucket"], known[name+"_count"], known[name+"_sum"] = true, true, true
		default:
			known[name] = true
		}
	}
	require.Greater(t, len(known), 15)
	page, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	alerts := alertExpr.FindAllStringSubmatch(string(page), -1)
	require.Len(t, alerts, strings.Count(string(page), "- alert: "))
	for _, alert := range alerts {
		expr := alert[1] + alert[2]
		for _, name := range metricName.FindAllString(expr, -1) {
			assert.True(t, known[name], "%s: there is no metric %s", expr, name)
		}
		for _, of := range increasing.FindAllStringSubmatch(expr, -1) {
			assert.True(t, observed[of[1]] || strings.Contains(expr, "unless "+of[1]+" offset"), "%s: the first failure has no increase", expr)
		}
	}
}
