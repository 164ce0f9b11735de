package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/compose"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/guard/ledger/control"
)

//go:embed policy/*.yaml
var templates embed.FS

// host is what runs here: an agent behind a guard, its ledger, and the socket at
// which people answer.
type host struct {
	dir    string
	ledger *ledger.Memory
	socket *control.Server
	runner *adk.Runner
	store  store
}

func (h *host) evidence() string { return filepath.Join(h.dir, "evidence") }

func openHost(ctx context.Context, dir string) (_ *host, err error) {
	h := &host{dir: dir, store: store{filepath.Join(dir, "checkpoints")}}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.MkdirAll(h.store.dir, 0o700)); err != nil {
		return nil, err
	}
	docs, err := documents(filepath.Join(dir, "policy"))
	if err != nil {
		return nil, err
	}
	if h.ledger, err = ledger.Open(h.evidence()); err != nil {
		return nil, err
	}
	g, err := guard.New(docs, guard.Agent{ID: "payables-assistant", Environment: "demo"},
		guard.WithLedger(h.ledger),
		guard.AllowUnsigned(), // and every record says so
	)
	if err != nil {
		return nil, err
	}
	if h.runner, err = newRunner(ctx, g, h.store, filepath.Join(dir, "payments.txt")); err != nil {
		return nil, err
	}
	h.socket, err = control.Listen(h.ledger, g.LocalUser)
	return h, err
}

// close lets people finish first: what they answer goes to the ledger.
func (h *host) close() error {
	var errs []error
	if h.socket != nil {
		errs = append(errs, h.socket.Close())
	}
	if h.ledger != nil {
		errs = append(errs, h.ledger.Close())
	}
	return errors.Join(errs...)
}

// documents returns the documents in a folder, which it writes at the first start:
// for these days, and for the OS user who runs the example. Change them, and start
// again.
func documents(dir string) ([]authority.Document, error) {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return authority.ReadDir(dir)
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	values := map[string]string{
		"USER": me.Username, "GRANTED": now.Format(time.RFC3339), "EXPIRES": now.AddDate(0, 3, 0).Format(time.RFC3339),
	}
	entries, err := templates.ReadDir("policy")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		text, err := templates.ReadFile("policy/" + e.Name())
		if err != nil {
			return nil, err
		}
		filled := os.Expand(string(text), func(name string) string { return values[name] })
		if err := os.WriteFile(filepath.Join(dir, e.Name()), []byte(filled), 0o600); err != nil {
			return nil, err
		}
	}
	return authority.ReadDir(dir)
}

type payment struct {
	Invoice string  `json:"invoice" jsonschema:"required"`
	Amount  float64 `json:"amount" jsonschema:"required,description=in EUR"`
}

// newRunner makes the agent: the guard wraps its tool, and its runs have checkpoints.
func newRunner(ctx context.Context, g *guard.Guard, checkpoints adk.CheckPointStore, payments string) (*adk.Runner, error) {
	pay, err := utils.InferTool("pay_invoice", "Pay an invoice of a supplier.", func(ctx context.Context, p payment) (string, error) {
		return "paid", appendLine(payments, fmt.Sprintf("%s %.2f EUR, decision %s\n", p.Invoice, p.Amount, guard.DecisionID(ctx)))
	})
	if err != nil {
		return nil, err
	}
	conf, err := einoguard.Configure(ctx, g, compose.ToolsNodeConfig{Tools: []tool.BaseTool{pay}})
	if err != nil {
		return nil, err
	}
	a, err := adk.NewChatModelAgent(ctx, &adk.ChatModelAgentConfig{
		Name: "payables", Description: "pays invoices", Instruction: "Pay the invoices that you are asked to pay.",
		Model: script{}, ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: conf},
		Handlers: []adk.ChatModelAgentMiddleware{einoguard.Handler(g)},
	})
	if err != nil {
		return nil, err
	}
	return adk.NewRunner(ctx, adk.RunnerConfig{Agent: a, CheckPointStore: checkpoints}), nil
}

func appendLine(name, line string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Close())
}
