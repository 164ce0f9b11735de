package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/compose"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/examples/autoscaler/internal/planner"
	"github.com/ambit-go/ambit/examples/autoscaler/internal/tools"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
)

//go:embed policy/*.yaml
var policy embed.FS

const (
	maxSteps    = 40 // of the model, in one turn
	instruction = `You keep a fleet that serves language-model requests within its latency goal at low cost.
Requests are read by the workload "reader" and then answered by "writer". Each turn: call fleet_status, then set replicas and nodes to what the coming minutes need (new nodes take a minute), and finish with one sentence.
A call can be refused: the result is then a JSON object with "ambit": "deny". Read its reasons, its checks and what they say is within bounds, correct the call, and do not repeat one that cannot be allowed. Where a call needs people, they are asked while you wait; what they deny, do not ask again. Give your reasons in _rationale; cite the id of the call that your evidence comes from.`
)

// agent is an eino agent behind a guard.
type agent struct {
	runner   *adk.Runner
	model    string
	manifest []byte // what runs here, for ambit vet
}

// newAgent makes the agent: the documents and facts make the guard, the guard
// wraps the tools, and the agent gets only wrapped ones.
func newAgent(ctx context.Context, o openAI, f *fleet.Fleet, e *evidence) (*agent, error) {
	m, spec, err := o.chatModel(ctx)
	if err != nil {
		return nil, err
	}
	docs, err := documents()
	if err != nil {
		return nil, err
	}
	g, err := guard.New(docs, guard.Agent{ID: "assistant-autoscaler", Environment: "prod", Model: spec},
		guard.WithLedger(e.ledger), guard.WithTracer(e.tracer), guard.WithFacts(facts(f)...),
		guard.WithClock(f.Now), // simulated, as all time here
		guard.AllowUnsigned(),  // and every record says so
	)
	if err != nil {
		return nil, err
	}
	list, err := tools.All(f)
	if err != nil {
		return nil, err
	}
	conf, err := einoguard.Configure(ctx, g, compose.ToolsNodeConfig{
		Tools:               list,
		ExecuteSequentially: true,
		ToolCallMiddlewares: []compose.ToolMiddleware{{Invokable: failureAsResult}},
	})
	if err != nil {
		return nil, err
	}
	a, err := adk.NewChatModelAgent(ctx, &adk.ChatModelAgentConfig{
		Name: "autoscaler", Description: "keeps a fleet within its latency goal", Instruction: instruction,
		Model: m, ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: conf}, MaxIterations: maxSteps,
		Handlers: []adk.ChatModelAgentMiddleware{einoguard.Handler(g)},
	})
	if err != nil {
		return nil, err
	}
	return &agent{
		runner:   adk.NewRunner(ctx, adk.RunnerConfig{Agent: a, CheckPointStore: checkpoints{}}),
		model:    spec.Provider + " " + spec.Name,
		manifest: g.Manifest().YAML(),
	}, nil
}

// documents returns the policy folder, file by file.
func documents() ([]authority.Document, error) {
	var docs []authority.Document
	err := fs.WalkDir(policy, "policy", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := policy.ReadFile(name)
		docs = append(docs, authority.Document{Name: name, Data: data})
		return err
	})
	return docs, err
}

// facts is what the documents' rules read of the world.
func facts(f *fleet.Fleet) []guard.Fact {
	return []guard.Fact{
		guard.NewFact("current_replicas", func(_ context.Context, c guard.Checked) (int64, error) {
			var args struct{ Workload, Region string }
			if err := json.Unmarshal(c.Arguments, &args); err != nil {
				return 0, err
			}
			n, err := f.Replicas(args.Workload, args.Region)
			return int64(n), err
		}, guard.By("args.workload", "args.region"), guard.Source("the deployment's spec")),
		guard.NewFact("current_nodes", func(_ context.Context, c guard.Checked) (int64, error) {
			var args struct{ Pool, Region string }
			if err := json.Unmarshal(c.Arguments, &args); err != nil {
				return 0, err
			}
			return int64(f.Nodes(args.Pool, args.Region)), nil
		}, guard.By("args.pool", "args.region"), guard.Source("the node pool's spec")),
		guard.NewFact("change_freeze", func(context.Context, guard.Checked) (bool, error) {
			return frozen(f.Now()), nil
		}, guard.Source("the change calendar")),
	}
}

// failureAsResult tells the model that the fleet refused what was allowed. Eino
// would end the run on a tool's error. It stands outside the guard, which has
// recorded the error as the outcome. A call that waits for people is no failure: its
// interrupt passes.
func failureAsResult(next compose.InvokableToolEndpoint) compose.InvokableToolEndpoint {
	return func(ctx context.Context, in *compose.ToolInput) (*compose.ToolOutput, error) {
		out, err := next(ctx, in)
		if _, waits := compose.IsInterruptRerunError(err); err == nil || waits || ctx.Err() != nil {
			return out, err
		}
		text, encodeErr := json.Marshal(map[string]string{"error": err.Error()})
		return &compose.ToolOutput{Result: string(text)}, encodeErr
	}
}

// openAI names a real model; the zero openAI is the built-in planner.
type openAI struct {
	key, model, baseURL string
}

func (o openAI) validate() error {
	if (o.key == "") != (o.model == "") || o.baseURL != "" && o.model == "" {
		return errors.New("OPENAI_API_KEY and OPENAI_MODEL must be set together, or neither: without them the built-in planner runs")
	}
	return nil
}

func (o openAI) chatModel(ctx context.Context) (model.ToolCallingChatModel, authority.ModelSpec, error) {
	if o.model == "" {
		return planner.New(), authority.ModelSpec{Provider: "ambit", Name: "example-planner", Version: "1"}, nil
	}
	m, err := openai.NewChatModel(ctx, &openai.ChatModelConfig{APIKey: o.key, Model: o.model, BaseURL: o.baseURL})
	if err != nil {
		return nil, authority.ModelSpec{}, fmt.Errorf("the model: %w", err)
	}
	return m, authority.ModelSpec{Provider: "openai", Name: o.model}, nil
}
