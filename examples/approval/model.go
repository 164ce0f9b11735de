package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/schema"
)

// script stands in for a model: it answers by rule, from the last message alone.
type script struct{}

func (script) WithTools([]*schema.ToolInfo) (model.ToolCallingChatModel, error) {
	return script{}, nil
}

var request = regexp.MustCompile(`(?i)^\s*pay\s+(\S+)\s+([0-9]+(?:\.[0-9]+)?)\s*$`)

func (script) Generate(_ context.Context, messages []*schema.Message, _ ...model.Option) (*schema.Message, error) {
	last := messages[len(messages)-1]
	if last.Role == schema.Tool {
		return schema.AssistantMessage(closing(last.Content), nil), nil
	}
	asked := request.FindStringSubmatch(last.Content)
	if asked == nil {
		return schema.AssistantMessage(`I pay invoices: say "pay INV-7 80".`, nil), nil
	}
	amount, err := strconv.ParseFloat(asked[2], 64)
	if err != nil {
		return nil, err
	}
	arguments, err := json.Marshal(map[string]any{
		"invoice": asked[1], "amount": amount,
		"_rationale": map[string]any{"purpose": "The supplier's invoice " + asked[1] + " is due."},
	})
	if err != nil {
		return nil, err
	}
	return schema.AssistantMessage("", []schema.ToolCall{{
		ID: "pay-" + asked[1], Type: "function", Function: schema.FunctionCall{Name: "pay_invoice", Arguments: string(arguments)},
	}}), nil
}

// closing is what a model would make of the tool's result, or of the guard's refusal.
func closing(result string) string {
	var refusal struct {
		Ambit  string
		Checks []struct{ Why, Message string }
	}
	if json.Unmarshal([]byte(result), &refusal) != nil || refusal.Ambit == "" {
		return "It is paid."
	}
	var reasons []string
	for _, c := range refusal.Checks {
		for _, text := range []string{c.Why, c.Message} {
			if text != "" {
				reasons = append(reasons, text)
			}
		}
	}
	return fmt.Sprintf("I may not pay it: %s. I leave the invoice open.", strings.Join(reasons, "; "))
}

func (s script) Stream(ctx context.Context, messages []*schema.Message, opts ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	message, err := s.Generate(ctx, messages, opts...)
	if err != nil {
		return nil, err
	}
	return schema.StreamReaderFromArray([]*schema.Message{message}), nil
}
