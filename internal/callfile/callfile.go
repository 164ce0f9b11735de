// Package callfile reads a call that is written down as JSON, together with
// what the host would have supplied for it, and evaluates it without side
// effects. The command line's check and the decision corpus use it.
package callfile

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// Call is one call and its circumstances.
type Call struct {
	At          time.Time       `json:"at"` // required
	Agent       string          `json:"agent"`
	Environment string          `json:"environment"`
	Session     string          `json:"session,omitempty"`
	OnBehalfOf  string          `json:"on_behalf_of,omitempty"`
	Model       rationale.Model `json:"model,omitzero"`
	Prompt      string          `json:"prompt,omitempty"` // digest of the prompt template
	Tool        string          `json:"tool"`             // name, or server/name
	CallID      string          `json:"call_id,omitempty"`

	// Arguments as the model gave them, including _rationale: as JSON, as the
	// exact text (which need not be JSON), or as base64 of the exact bytes.
	Arguments       json.RawMessage `json:"arguments,omitempty"`
	ArgumentsText   *string         `json:"arguments_text,omitempty"`
	ArgumentsBase64 *string         `json:"arguments_base64,omitempty"`

	// What the host supplies. Ages are Go durations; a fact without one is new.
	Facts       map[string]json.RawMessage `json:"facts,omitempty"`
	FactAges    map[string]string          `json:"fact_ages,omitempty"`
	FactErrors  map[string]string          `json:"fact_errors,omitempty"`
	Derived     map[string]json.RawMessage `json:"derived,omitempty"`
	DeriveError map[string]string          `json:"derive_errors,omitempty"`
	Estimate    *Estimate                  `json:"estimate,omitempty"`
	// Read lists the ids of calls that were executed earlier in the session.
	Read []string `json:"read,omitempty"`
}

// Estimate is what a Go estimator answers.
type Estimate struct {
	Amount   string `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	Error    string `json:"error,omitempty"`
}

// Parse reads one call; unknown keys are errors.
func Parse(data []byte) (*Call, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var c Call
	if err := dec.Decode(&c); err != nil {
		return nil, fmt.Errorf("call file: %w", err)
	}
	if dec.More() {
		return nil, errors.New("call file: more than one JSON value")
	}
	return &c, c.validate()
}

func (c *Call) validate() error {
	forms := 0
	for _, given := range []bool{c.Arguments != nil, c.ArgumentsText != nil, c.ArgumentsBase64 != nil} {
		if given {
			forms++
		}
	}
	switch {
	case c.At.IsZero():
		return errors.New(`call file: "at" is missing: give the time of the call, such as "2026-11-02T09:30:00Z"`)
	case c.Agent == "" || c.Environment == "" || c.Tool == "":
		return errors.New(`call file: "agent", "environment" and "tool" must be given`)
	case forms > 1:
		return errors.New(`call file: give one of "arguments", "arguments_text" and "arguments_base64"`)
	}
	return nil
}

// RawArguments returns the exact argument bytes; an empty object where the
// file gives none.
func (c *Call) RawArguments() ([]byte, error) {
	switch {
	case c.ArgumentsText != nil:
		return []byte(*c.ArgumentsText), nil
	case c.ArgumentsBase64 != nil:
		raw, err := base64.StdEncoding.DecodeString(*c.ArgumentsBase64)
		if err != nil {
			return nil, fmt.Errorf("call file: arguments_base64: %w", err)
		}
		return raw, nil
	case c.Arguments != nil:
		return c.Arguments, nil
	default:
		return []byte("{}"), nil
	}
}

// ToolID parses the tool's name.
func (c *Call) ToolID() (classify.ToolID, error) { return classify.ParseToolID(c.Tool) }

// Evaluate classifies and assesses the call. The decision has no id. The error
// says what is wrong with the description of the call, never with the call.
func (c *Call) Evaluate(set *authority.Set, m authority.Manifest) (*rationale.Decision, error) {
	raw, err := c.RawArguments()
	if err != nil {
		return nil, err
	}
	id, err := c.ToolID()
	if err != nil {
		return nil, err
	}
	in, err := c.Input(m)
	if err != nil {
		return nil, err
	}
	rest, given, malformed := rationale.Split(raw)
	in.Rationale, in.Malformed = given, malformed
	classified := set.Classify(authority.Call{
		At:    c.At,
		Agent: rationale.Agent{ID: c.Agent, Environment: c.Environment, Session: c.Session, OnBehalfOf: c.OnBehalfOf},
		Model: c.Model, Prompt: c.Prompt, Tool: id, CallID: c.CallID, Arguments: rest,
		Derive: func(name string, _ json.RawMessage) (any, error) { return c.Derive(m, name) },
	})
	return set.Assess(classified, in), nil
}

// Input types what the file supplies as the manifest says.
func (c *Call) Input(m authority.Manifest) (authority.Input, error) {
	in := authority.Input{
		Facts: make(map[string]authority.FactValue),
		Read:  func(id string) bool { return slices.Contains(c.Read, id) },
	}
	if c.Estimate != nil {
		in.Estimate = &authority.Estimate{Amount: c.Estimate.Amount, Currency: c.Estimate.Currency}
		if c.Estimate.Error != "" {
			in.Estimate.Err = errors.New(c.Estimate.Error)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Facts)) {
		value, err := c.Fact(m, name)
		if err != nil {
			return authority.Input{}, err
		}
		in.Facts[name] = value
	}
	for name, text := range c.FactErrors {
		in.Facts[name] = authority.FactValue{Err: errors.New(text)}
	}
	return in, nil
}

// Fact returns one fact of the file.
func (c *Call) Fact(m authority.Manifest, name string) (authority.FactValue, error) {
	if text, ok := c.FactErrors[name]; ok {
		return authority.FactValue{Err: errors.New(text)}, nil
	}
	i := slices.IndexFunc(m.Facts, func(f authority.FactSpec) bool { return f.Name == name })
	if i < 0 {
		var names []string
		for _, f := range m.Facts {
			names = append(names, f.Name)
		}
		return authority.FactValue{}, fmt.Errorf("the manifest has no fact %q: it has %s", name, cmp.Or(strings.Join(names, ", "), "none"))
	}
	value, err := typed(m.Facts[i].Type, c.Facts[name])
	if err != nil {
		return authority.FactValue{}, fmt.Errorf("fact %s: %w", name, err)
	}
	at := c.At
	if text, ok := c.FactAges[name]; ok {
		age, err := time.ParseDuration(text)
		if err != nil {
			return authority.FactValue{}, fmt.Errorf("age of fact %s: %w", name, err)
		}
		at = at.Add(-age)
	}
	return authority.FactValue{Value: value, At: at}, nil
}

// Derive returns one derived value of the file.
func (c *Call) Derive(m authority.Manifest, name string) (any, error) {
	if text, ok := c.DeriveError[name]; ok {
		return nil, errors.New(text)
	}
	i := slices.IndexFunc(m.Derived, func(d authority.DerivedSpec) bool { return d.Name == name && d.Tool == c.Tool })
	raw, ok := c.Derived[name]
	if i < 0 || !ok {
		return nil, fmt.Errorf("the call file gives no derived value %q", name)
	}
	return typed(m.Derived[i].Type, raw)
}

func typed(typeText string, raw json.RawMessage) (any, error) {
	t, err := strictjson.ParseType(typeText)
	if err != nil {
		return nil, err
	}
	return value(t, raw)
}

// value decodes JSON into the Go value that a host would give for a type.
func value(t *strictjson.Type, raw json.RawMessage) (any, error) {
	switch t.Kind {
	case strictjson.Int:
		return decode[int64](raw)
	case strictjson.Double:
		return decode[float64](raw)
	case strictjson.Bool:
		return decode[bool](raw)
	case strictjson.Timestamp:
		return decode[time.Time](raw)
	case strictjson.Duration:
		text, err := decode[string](raw)
		if err != nil {
			return nil, err
		}
		return time.ParseDuration(text)
	case strictjson.List:
		items, err := decode[[]json.RawMessage](raw)
		if err != nil {
			return nil, err
		}
		list := make([]any, len(items))
		for i, item := range items {
			if list[i], err = value(t.Elem, item); err != nil {
				return nil, err
			}
		}
		return list, nil
	case strictjson.Map:
		items, err := decode[map[string]json.RawMessage](raw)
		if err != nil {
			return nil, err
		}
		entries := make(map[string]any, len(items))
		for name, item := range items {
			if entries[name], err = value(t.Elem, item); err != nil {
				return nil, err
			}
		}
		return entries, nil
	default:
		return decode[string](raw)
	}
}

func decode[T any](raw json.RawMessage) (T, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}
