package einoguard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"

	"github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/schema"
	"github.com/eino-contrib/jsonschema"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
)

// Tools registers tools of this process with g and returns each in a wrapper
// that runs it only as g allows. [Configure] does this for a node's tools;
// Tools is for those that reach a node another way, and [ToolsFrom] for those
// of a server.
//
// It fails, with every error and no tools, when a tool is nil, has no shape
// that can run, is wrapped already, gives no information about itself, or when
// [guard.Guard.Register] refuses one.
func Tools(ctx context.Context, g *guard.Guard, tools ...tool.BaseTool) ([]tool.BaseTool, error) {
	return ToolsFrom(ctx, g, "", tools...)
}

// ToolsFrom is [Tools] for tools that a server offers, such as one that speaks
// MCP: they are known to the guard as server/name. Eino itself tells tools
// apart by name alone, so two servers' tools of one name need two nodes. The server name
// "unguarded" is reserved, and an error: records give it to a call that reached a
// tool of a known name which is not the wrapped one.
func ToolsFrom(ctx context.Context, g *guard.Guard, server string, tools ...tool.BaseTool) ([]tool.BaseTool, error) {
	if server == unguarded {
		return nil, fmt.Errorf("einoguard: the server name %q is reserved", unguarded)
	}
	registered()
	var (
		errs    []error
		specs   = make([]authority.Tool, 0, len(tools))
		wrapped = make([]tool.BaseTool, 0, len(tools))
	)
	for i, t := range tools {
		spec, w, err := wrap(ctx, g, server, t)
		if err != nil {
			errs = append(errs, fmt.Errorf("einoguard: tool %d: %w", i, err))
			continue
		}
		specs, wrapped = append(specs, spec), append(wrapped, w)
	}
	if len(errs) == 0 {
		errs = append(errs, g.Register(specs...))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return wrapped, nil
}

// guarded is a tool behind a guard: all that the shapes of its wrapper share.
type guarded struct {
	guard *guard.Guard
	id    classify.ToolID
	info  schema.ToolInfo // as registered, without parameters
	typ   string
	calls bool // the tool inside runs eino's callbacks itself
}

// guardedTool is what every wrapper is, and nothing else.
type guardedTool interface {
	tool.BaseTool
	behind() *guarded
}

func wrap(ctx context.Context, g *guard.Guard, server string, t tool.BaseTool) (authority.Tool, tool.BaseTool, error) {
	if t == nil {
		return authority.Tool{}, nil, errors.New("it is nil")
	}
	if w, ok := t.(guardedTool); ok {
		return authority.Tool{}, nil, fmt.Errorf("%s is wrapped already", w.behind().id)
	}
	info, err := informed(ctx, t)
	if err != nil {
		return authority.Tool{}, nil, fmt.Errorf("its information: %w", err)
	}
	if info == nil {
		return authority.Tool{}, nil, errors.New("it gives no information about itself")
	}
	spec, err := describe(server, info)
	if err != nil {
		return authority.Tool{}, nil, fmt.Errorf("%s: %w", info.Name, err)
	}
	w := shape(t, &guarded{
		guard: g,
		id:    spec.ID(),
		info:  schema.ToolInfo{Name: info.Name, Desc: info.Desc, Extra: maps.Clone(info.Extra)},
		typ:   typeName(t),
		calls: components.IsCallbacksEnabled(t),
	})
	if w == nil {
		return authority.Tool{}, nil, fmt.Errorf("%s is neither invokable nor streamable", info.Name)
	}
	return spec, w, nil
}

func informed(ctx context.Context, t tool.BaseTool) (info *schema.ToolInfo, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the tool panicked: %v", r)
		}
	}()
	return t.Info(ctx)
}

// describe translates a tool's definition. Its Extra, where eino's MCP tools
// keep their annotations, becomes the annotations.
func describe(server string, info *schema.ToolInfo) (authority.Tool, error) {
	spec := authority.Tool{Server: server, Name: info.Name, Description: info.Desc}
	parameters, err := info.ToJSONSchema()
	if err != nil {
		return authority.Tool{}, fmt.Errorf("its parameters: %w", err)
	}
	if parameters != nil {
		if spec.Schema, err = json.Marshal(parameters); err != nil {
			return authority.Tool{}, fmt.Errorf("its parameters: %w", err)
		}
	}
	if len(info.Extra) > 0 {
		if spec.Annotations, err = json.Marshal(info.Extra); err != nil {
			return authority.Tool{}, fmt.Errorf("its Extra: %w", err)
		}
	}
	return spec, nil
}

// Info returns the tool's definition as it was registered, with the reserved
// rationale parameter where the agent has a writing class for the tool now.
func (t *guarded) Info(context.Context) (*schema.ToolInfo, error) {
	info := t.info
	info.Extra = maps.Clone(t.info.Extra)
	parameters, err := t.guard.Schema(t.id)
	if err != nil {
		return nil, fmt.Errorf("einoguard: %w", err)
	}
	if len(parameters) > 0 {
		s := new(jsonschema.Schema)
		if err := json.Unmarshal(parameters, s); err != nil {
			return nil, fmt.Errorf("einoguard: the parameters of %s: %w", t.id, err)
		}
		info.ParamsOneOf = schema.NewParamsOneOfByJSONSchema(s)
	}
	return &info, nil
}

// GetType names the tool inside, so that callbacks see the type they knew.
func (t *guarded) GetType() string { return t.typ }

// IsCallbacksEnabled is that of the tool inside: eino runs the callbacks of a
// tool that does not run them itself.
func (t *guarded) IsCallbacksEnabled() bool { return t.calls }

func (t *guarded) behind() *guarded { return t }

// typeName is the name that eino gives a component.
func typeName(t tool.BaseTool) string {
	if name, ok := components.GetType(t); ok {
		return name
	}
	r := reflect.TypeOf(t)
	for r.Kind() == reflect.Pointer {
		r = r.Elem()
	}
	return r.Name()
}
