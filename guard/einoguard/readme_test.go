package einoguard_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The program around the README's snippet: a refund tool, and a model that
// asks for three refunds in turn and prints what it gets.
const readmeProgram = `package main

import (
	"context"
	"fmt"

	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/flow/agent/react"
	"github.com/cloudwego/eino/schema"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/guard/ledger"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type args struct {
	Order  string  ` + "`json:\"order\"`" + `
	Amount float64 ` + "`json:\"amount\"`" + `
}

type planner struct{ asked int }

func (p *planner) Generate(_ context.Context, in []*schema.Message, _ ...model.Option) (*schema.Message, error) {
	if last := in[len(in)-1]; last.Role == schema.Tool {
		fmt.Println(last.Content)
	}
	calls := []string{
		` + "`" + `{"order":"A-17","amount":12.50,"_rationale":{"purpose":"The parcel was lost."}}` + "`" + `,
		` + "`" + `{"order":"A-17","amount":900,"_rationale":{"purpose":"The customer insists."}}` + "`" + `,
		` + "`" + `{"order":"A-17","amount":125,"_rationale":{"purpose":"The parcel was lost.","expected":"A refund.","fallback":"None.",
		  "alternatives":[{"option":"wait","rejected":"three weeks"}],"evidence":["https://parcels.example.com/A-17"]}}` + "`" + `,
	}
	if p.asked == len(calls) {
		return schema.AssistantMessage("done", nil), nil
	}
	p.asked++
	return schema.AssistantMessage("", []schema.ToolCall{
		{ID: fmt.Sprint(p.asked), Function: schema.FunctionCall{Name: "orders.refund", Arguments: calls[p.asked-1]}},
	}), nil
}

func (p *planner) Stream(ctx context.Context, in []*schema.Message, opts ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	m, err := p.Generate(ctx, in, opts...)
	return schema.StreamReaderFromArray([]*schema.Message{m}), err
}

func (p *planner) WithTools([]*schema.ToolInfo) (model.ToolCallingChatModel, error) { return p, nil }

func main() {
	ctx := context.Background()
	var model model.ToolCallingChatModel = &planner{}
	refund := must(utils.InferTool("orders.refund", "Refunds an order.", func(_ context.Context, a args) (string, error) {
		return fmt.Sprintf("refunded %.2f EUR of order %s", a.Amount, a.Order), nil
	}))
SNIPPET
	must(agent.Generate(ctx, []*schema.Message{schema.UserMessage("refund it")}))
}
`

// block returns the fenced code that follows a marker of the README.
func block(t *testing.T, readme, marker string) string {
	t.Helper()
	_, after, ok := strings.Cut(readme, "<!-- "+marker+" -->\n```")
	require.True(t, ok, "the README has no block %q", marker)
	_, after, _ = strings.Cut(after, "\n")
	code, _, ok := strings.Cut(after, "\n```")
	require.True(t, ok)
	return code
}

// TestReadme runs the README's document and snippet, and compares what they
// print with what the README says they print.
func TestReadme(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	snippet := block(t, string(data), "snippet")
	assert.Less(t, strings.Count(snippet, "\n")+1, 10, "lines of the snippet")

	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "policy"), 0o700))
	// The README's dates pass one day; the test's must not.
	document := strings.NewReplacer(
		"2026-11-01T00:00:00Z", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339),
		"2027-02-01T00:00:00Z", time.Now().Add(80*24*time.Hour).UTC().Format(time.RFC3339),
	).Replace(block(t, string(data), "policy/support-bot.yaml"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "policy", "support-bot.yaml"), []byte(document), 0o600))
	main := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(main, []byte(strings.Replace(readmeProgram, "SNIPPET", snippet, 1)), 0o600))

	build := exec.Command("go", "build", "-o", filepath.Join(dir, "readme"), main)
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	program := exec.Command(filepath.Join(dir, "readme"))
	program.Dir = dir
	out, err = program.CombinedOutput()
	require.NoError(t, err, "%s", out)
	printed := regexp.MustCompile(`"(ticket|expires)":"[^"]*"`).ReplaceAllString(string(out), `"$1":"…"`)
	assert.Equal(t, block(t, string(data), "output"), strings.TrimSpace(printed))
	journals, err := filepath.Glob(filepath.Join(dir, "evidence", "*.seg"))
	require.NoError(t, err)
	assert.Len(t, journals, 1, "the records are on disk")
}
