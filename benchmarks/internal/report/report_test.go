package report

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// numbers are made up, so that every claim just holds.
var numbers = []measure.Result{
	{Case: "eval", Impl: "ambit", NsOp: 14.25, Spread: 0.02},
	{Case: "eval", Impl: "cel-go", NsOp: 417, BOp: 32, AllocsOp: 3, Spread: 0.031},
	{Case: "eval", Impl: "handwritten", NsOp: 3.07},
	{Case: "eval-complex", Impl: "ambit", NsOp: 1200},
	{Case: "eval-complex", Impl: "cel-go", NsOp: 6185, BOp: 1121, AllocsOp: 41},
	{Case: "check", Impl: "ambit", NsOp: 640, BOp: 96, AllocsOp: 1},
	{Case: "check", Impl: "cel-go+encoding/json", NsOp: 5406, BOp: 1801, AllocsOp: 45},
	{Case: "check", Impl: "cel-go+encoding/json-struct", NsOp: 4378, BOp: 1384, AllocsOp: 30},
	{Case: "check", Impl: "expr", NsOp: 4062, BOp: 1616, AllocsOp: 29},
	{Case: "check", Impl: "cedar-go", NsOp: 6113, BOp: 2616, AllocsOp: 52},
	{Case: "check", Impl: "opa", NsOp: 97417, BOp: 15945, AllocsOp: 326, Spread: 0.18},
	{Case: "check-deny", Impl: "ambit", NsOp: 700},
	{Case: "check-deny", Impl: "cel-go+encoding/json", NsOp: 5000},
	{Case: "check-deny", Impl: "cel-go+encoding/json-struct", NsOp: 5000},
	{Case: "check-deny", Impl: "expr", NsOp: 5000},
	{Case: "check-deny", Impl: "cedar-go", NsOp: 5000},
	{Case: "check-deny", Impl: "opa", NsOp: 5000},
	{Case: "scan-floor", Impl: "scan-floor", NsOp: 369},
	{Case: "parallel", Impl: "ambit", NsOp: 330},
	{Case: "parallel", Impl: "scan-floor", NsOp: 190},
	{Case: "governed-otel", Impl: "ambit", NsOp: 15000},
	{Case: "governed-otel", Impl: "handwritten", NsOp: 10158, BOp: 16851, AllocsOp: 40},
	{Case: "governed", Impl: "ambit", NsOp: 18000},
	{Case: "governed-sync", Impl: "ambit", NsOp: 400000},
	{Case: "fsync-floor", Impl: "fsync-floor", NsOp: 290000},
	{Case: "governed-sync-64", Impl: "ambit", NsOp: 36000},
	{Case: "governed-os", Impl: "ambit", NsOp: 17000},
	{Case: "write-floor", Impl: "write-floor", NsOp: 2800},
	{Case: "admit-pg", Impl: "ambit", NsOp: 590000},
	{Case: "pg-floor", Impl: "pg-floor", NsOp: 300000},
	{Case: "admit-memory", Impl: "ambit", NsOp: 2400, BOp: 60_000, AllocsOp: 700},
	{Case: "scale-10", Impl: "ambit", NsOp: 650},
	{Case: "scale-10k", Impl: "ambit", NsOp: 700},
	{Case: "load-10k", Impl: "ambit", NsOp: 1912345678, BOp: 1645684720, AllocsOp: 28272212},
	{Case: "load-10k", Impl: "yaml+cel-go", NsOp: 1612345678, BOp: 689962512, AllocsOp: 12142690},
	{Case: "load-10k-live", Impl: "ambit", NsOp: 191234, BOp: 12000, AllocsOp: 90},
}

func TestGolden(t *testing.T) {
	write := map[string]func(*bytes.Buffer) error{
		"table.txt": func(b *bytes.Buffer) error {
			if err := Table(b, numbers, false); err != nil {
				return err
			}
			b.WriteString("\n")
			_, _, err := WriteClaims(b, Claims(numbers), 1, false)
			return err
		},
		"table.md":     func(b *bytes.Buffer) error { return Markdown(b, numbers) },
		"results.json": func(b *bytes.Buffer) error { return JSON(b, numbers) },
	}
	for name, write := range write {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			require.NoError(t, write(&got))
			file := "testdata/" + name
			if os.Getenv("UPDATE") != "" {
				require.NoError(t, os.WriteFile(file, got.Bytes(), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err, "UPDATE=1 go test writes it")
			assert.Equal(t, string(want), got.String())
		})
	}
}

func TestColumnsAlign(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Table(&b, numbers, false))
	assert.NotContains(t, b.String(), "\x1b")
	ends := map[int]bool{}
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		if line != "" {
			ends[len([]rune(line))] = true
		}
	}
	assert.Len(t, ends, 1, "the last column is a number, and stands right")
}

func TestColoursAreOnlyWhereTheyAreWanted(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Table(&b, numbers, true))
	assert.Contains(t, b.String(), bold+"eval ")
	assert.Equal(t, strings.Count(b.String(), bold)+1, strings.Count(b.String(), plain))
}

func TestJSONHasTheFiveMembers(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, JSON(&b, numbers[:2]))
	var read []map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &read))
	require.Len(t, read, 2)
	assert.Equal(t, map[string]any{"case": "eval", "impl": "cel-go", "ns_op": 417.0, "b_op": 32.0, "allocs_op": 3.0}, read[1])
}

func TestReadReadsWhatJSONWrites(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, JSON(&b, numbers))
	read, err := Read(&b)
	require.NoError(t, err)
	require.Len(t, read, len(numbers))
	for i := range read {
		want := numbers[i]
		want.Spread = 0
		assert.Equal(t, want, read[i])
	}
	b.Reset()
	require.NoError(t, JSON(&b, nil))
	read, err = Read(&b)
	require.NoError(t, err)
	assert.Empty(t, read)
}

func TestReadRefuses(t *testing.T) {
	const row = `{"case":"eval","impl":"ambit","ns_op":1,"b_op":0,"allocs_op":0}`
	for name, text := range map[string]string{
		"nothing":          ``,
		"no array":         row,
		"another member":   `[{"case":"eval","impl":"ambit","ns_op":1,"b_op":0,"allocs_op":0,"note":""}]`,
		"a missing member": `[{"case":"eval","impl":"ambit","ns_op":1,"b_op":0}]`,
		"no time":          `[{"case":"eval","impl":"ambit","ns_op":0,"b_op":0,"allocs_op":0}]`,
		"negative bytes":   `[{"case":"eval","impl":"ambit","ns_op":1,"b_op":-1,"allocs_op":0}]`,
		"a row twice":      `[` + row + `,` + row + `]`,
		"a second value":   `[` + row + `] []`,
		"a text as time":   `[{"case":"eval","impl":"ambit","ns_op":"1","b_op":0,"allocs_op":0}]`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(text))
			assert.Error(t, err)
		})
	}
}
