package einoguard

import (
	"context"
	"encoding/json"

	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"

	"github.com/ambit-go/ambit/guard"
)

// shape returns the wrapper that has exactly the shapes of t; nil if t has
// none. A type has at most one of each method, so that there are eight.
func shape(t tool.BaseTool, g *guarded) tool.BaseTool {
	i, invokes := t.(tool.InvokableTool)
	ei, invokesEnhanced := t.(tool.EnhancedInvokableTool)
	s, streams := t.(tool.StreamableTool)
	es, streamsEnhanced := t.(tool.EnhancedStreamableTool)
	var (
		inv  = invokable{g, i}
		einv = enhancedInvokable{g, ei}
		str  = streamable{g, s}
		estr = enhancedStreamable{g, es}
	)
	switch {
	case invokes && streams:
		return struct {
			*guarded
			invokable
			streamable
		}{g, inv, str}
	case invokes && streamsEnhanced:
		return struct {
			*guarded
			invokable
			enhancedStreamable
		}{g, inv, estr}
	case invokesEnhanced && streams:
		return struct {
			*guarded
			enhancedInvokable
			streamable
		}{g, einv, str}
	case invokesEnhanced && streamsEnhanced:
		return struct {
			*guarded
			enhancedInvokable
			enhancedStreamable
		}{g, einv, estr}
	case invokes:
		return struct {
			*guarded
			invokable
		}{g, inv}
	case invokesEnhanced:
		return struct {
			*guarded
			enhancedInvokable
		}{g, einv}
	case streams:
		return struct {
			*guarded
			streamable
		}{g, str}
	case streamsEnhanced:
		return struct {
			*guarded
			enhancedStreamable
		}{g, estr}
	}
	return nil
}

type invokable struct {
	to   *guarded
	tool tool.InvokableTool
}

func (t invokable) InvokableRun(ctx context.Context, arguments string, opts ...tool.Option) (string, error) {
	ctx, d, err := t.to.begin(ctx, arguments)
	if err != nil {
		return "", err
	}
	if !d.Allowed() {
		return string(d.Refusal()), nil
	}
	return invoke(ctx, t.to.guard, d, appendText, func() (string, error) {
		return t.tool.InvokableRun(ctx, string(d.Args), opts...)
	})
}

type enhancedInvokable struct {
	to   *guarded
	tool tool.EnhancedInvokableTool
}

func (t enhancedInvokable) InvokableRun(ctx context.Context, argument *schema.ToolArgument, opts ...tool.Option) (*schema.ToolResult, error) {
	ctx, d, err := t.to.begin(ctx, text(argument))
	if err != nil {
		return nil, err
	}
	if !d.Allowed() {
		return textResult(d.Refusal()), nil
	}
	return invoke(ctx, t.to.guard, d, appendResult, func() (*schema.ToolResult, error) {
		return t.tool.InvokableRun(ctx, &schema.ToolArgument{Text: string(d.Args)}, opts...)
	})
}

type streamable struct {
	to   *guarded
	tool tool.StreamableTool
}

func (t streamable) StreamableRun(ctx context.Context, arguments string, opts ...tool.Option) (*schema.StreamReader[string], error) {
	ctx, d, err := t.to.begin(ctx, arguments)
	if err != nil {
		return nil, err
	}
	if !d.Allowed() {
		return schema.StreamReaderFromArray([]string{string(d.Refusal())}), nil
	}
	return stream(ctx, t.to.guard, d, appendText, func() (*schema.StreamReader[string], error) {
		return t.tool.StreamableRun(ctx, string(d.Args), opts...)
	})
}

type enhancedStreamable struct {
	to   *guarded
	tool tool.EnhancedStreamableTool
}

func (t enhancedStreamable) StreamableRun(ctx context.Context, argument *schema.ToolArgument, opts ...tool.Option) (*schema.StreamReader[*schema.ToolResult], error) {
	ctx, d, err := t.to.begin(ctx, text(argument))
	if err != nil {
		return nil, err
	}
	if !d.Allowed() {
		return schema.StreamReaderFromArray([]*schema.ToolResult{textResult(d.Refusal())}), nil
	}
	return stream(ctx, t.to.guard, d, appendResult, func() (*schema.StreamReader[*schema.ToolResult], error) {
		return t.tool.StreamableRun(ctx, &schema.ToolArgument{Text: string(d.Args)}, opts...)
	})
}

func (t *guarded) begin(ctx context.Context, arguments string) (context.Context, guard.Decision, error) {
	said := turnOf(ctx)
	return t.ask(ctx, guard.Call{
		ID: compose.GetToolCallID(ctx), Tool: t.id, Arguments: []byte(arguments),
		Text: said.Text, Reasoning: said.Reasoning, TextSource: said.source,
	})
}

// text is the arguments of an enhanced call.
func text(argument *schema.ToolArgument) string {
	if argument == nil {
		return ""
	}
	return argument.Text
}

func textResult(message []byte) *schema.ToolResult {
	return &schema.ToolResult{Parts: []schema.ToolOutputPart{{Type: schema.ToolPartTypeText, Text: string(message)}}}
}

func appendText(dst []byte, s string) []byte { return append(dst, s...) }

// appendResult appends the text of r's text parts, so that a result has one
// digest in every shape and however it is cut into chunks, and the JSON of the
// others, where they have any.
func appendResult(dst []byte, r *schema.ToolResult) []byte {
	if r == nil {
		return dst
	}
	for _, part := range r.Parts {
		if part.Type == schema.ToolPartTypeText {
			dst = append(dst, part.Text...)
			continue
		}
		dst = append(dst, encoded(part)...)
	}
	return dst
}

// encoded is the JSON of part and a newline; nothing where a value in its Extra
// has no JSON, or panics.
func encoded(part schema.ToolOutputPart) (line []byte) {
	defer func() {
		if recover() != nil {
			line = nil
		}
	}()
	line, err := json.Marshal(part)
	if err != nil {
		return nil
	}
	return append(line, '\n')
}
