package rationale

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Limits of what is kept of a rationale, in bytes and entries. Longer text is
// cut with a mark ([Clip]); a longer parameter, longer lists and longer
// citations make the parameter malformed, since a cut citation would be another.
const (
	MaxParameter    = 32 << 10 // the whole parameter
	MaxField        = 4 << 10  // purpose, expected, fallback, uncertainty, and each half of an alternative
	MaxAlternatives = 16
	MaxEvidence     = 64
	MaxCitation     = 1 << 10 // one evidence entry
	MaxText         = 8 << 10 // what the model said
	MaxReasoning    = 32 << 10
)

// Limits beyond which arguments are not looked into: the strict decoder takes
// neither as many bytes nor as many members.
const (
	maxSplitBytes   = 2 << 20
	maxSplitMembers = 10_000
)

// member is one name and value of an object, as written.
type member struct {
	name string // unescaped
	raw  []byte // name, colon and value
	// value is the part of raw that is the value.
	value []byte
}

// Split takes the reserved parameter out of a call's raw arguments.
//
// rest is the arguments without it: every other member byte for byte as it was
// written and in its order, so that what is checked is what the model wrote and
// what the tool receives. Without the parameter, and where the arguments are
// not one syntactically valid JSON object, have more than 2 MiB, or more than
// 10,000 members, rest is arguments itself, unchanged, for the strict decoder to
// judge; Split tolerates duplicate names and invalid UTF-8 outside the parameter
// for the same reason. Only the top level is looked at.
//
// r is what the parameter says, nil if there is none, if it is null, or if it
// is malformed. malformed then says why, in words for the model: not an object,
// given twice, in another case than _rationale (which is reserved in every
// case), with a property it does not have or one of the wrong type, or beyond
// the limits. A malformed rationale never spoils rest. Within the parameter null
// counts as absent, and control characters become U+FFFD.
//
// rest may share memory with arguments, which Split does not change.
func Split(arguments []byte) (rest []byte, r *Rationale, malformed string) {
	if len(arguments) > maxSplitBytes || !mentionsParameter(arguments) {
		return arguments, nil, ""
	}
	if rest, r, ok := splitPlain(arguments); ok {
		return rest, r, ""
	}
	return split(arguments)
}

// split is [Split] for all arguments that are not too long.
func split(arguments []byte) (rest []byte, r *Rationale, malformed string) {
	members, err := readObject(arguments)
	if err != nil {
		return arguments, nil, ""
	}
	var kept, given []member
	for _, m := range members {
		if strings.EqualFold(m.name, Parameter) {
			given = append(given, m)
		} else {
			kept = append(kept, m)
		}
	}
	if len(given) == 0 {
		return arguments, nil, ""
	}
	r, err = read(given)
	if err != nil {
		return writeObject(kept), nil, err.Error()
	}
	return writeObject(kept), r, ""
}

// readObject lists the members of a JSON object that is all of data, or returns
// an error. Names can repeat.
func readObject(data []byte) ([]member, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if dec.PeekKind() != jsontext.KindBeginObject {
		return nil, errors.New("not a JSON object")
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	var members []member
	for dec.PeekKind() == '"' {
		if len(members) == maxSplitMembers {
			return nil, errors.New("too many members")
		}
		name, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		start := int(dec.InputOffset()) - len(name)
		// Invalid UTF-8 in a name is not ours to judge: it becomes U+FFFD here,
		// which equals no name of ours.
		plain, _ := jsontext.AppendUnquote(nil, name)
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		end := int(dec.InputOffset())
		members = append(members, member{
			name: string(plain), raw: data[start:end:end], value: data[end-len(value) : end : end],
		})
	}
	if _, err := dec.ReadToken(); err != nil { // the end of the object, or what is wrong instead
		return nil, err
	}
	if len(bytes.Trim(data[dec.InputOffset():], " \t\r\n")) > 0 {
		return nil, errors.New("data after the object")
	}
	return members, nil
}

func writeObject(members []member) []byte {
	size := 2
	for _, m := range members {
		size += len(m.raw) + 1
	}
	out := append(make([]byte, 0, size), '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, m.raw...)
	}
	return append(out, '}')
}

// read decodes the parameter from the members that claim its name.
func read(given []member) (*Rationale, error) {
	m := given[0]
	if len(given) > 1 {
		return nil, fmt.Errorf("%s is given %d times", Parameter, len(given))
	}
	if m.name != Parameter {
		return nil, fmt.Errorf("the parameter is written %s, in lower case", Parameter)
	}
	if len(m.value) > MaxParameter {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d allowed", Parameter, len(m.value), MaxParameter)
	}
	if string(m.value) == "null" {
		return nil, nil
	}
	if m.value[0] != '{' {
		return nil, fmt.Errorf("%s is not a JSON object", Parameter)
	}
	// Only these: the model's own text beside the call comes from the framework.
	var wire struct {
		Purpose      string        `json:"purpose"`
		Expected     string        `json:"expected"`
		Alternatives []Alternative `json:"alternatives"`
		Evidence     []string      `json:"evidence"`
		Fallback     string        `json:"fallback"`
		Uncertainty  string        `json:"uncertainty"`
	}
	if err := json.Unmarshal(m.value, &wire, json.RejectUnknownMembers(true)); err != nil {
		return nil, describe(err)
	}
	r := &Rationale{
		Purpose: kept(wire.Purpose, MaxField), Expected: kept(wire.Expected, MaxField),
		Fallback: kept(wire.Fallback, MaxField), Uncertainty: kept(wire.Uncertainty, MaxField),
		Evidence: wire.Evidence,
	}
	if len(wire.Alternatives) > MaxAlternatives {
		return nil, fmt.Errorf("%d alternatives are more than the %d allowed", len(wire.Alternatives), MaxAlternatives)
	}
	for _, a := range wire.Alternatives {
		r.Alternatives = append(r.Alternatives,
			Alternative{Option: kept(a.Option, MaxField), Rejected: kept(a.Rejected, MaxField)})
	}
	return r, checkCitations(wire.Evidence)
}

func checkCitations(evidence []string) error {
	if len(evidence) > MaxEvidence {
		return fmt.Errorf("%d evidence entries are more than the %d allowed", len(evidence), MaxEvidence)
	}
	for i, e := range evidence {
		if len(e) > MaxCitation {
			return fmt.Errorf("evidence[%d] has %d bytes, more than the %d allowed", i, len(e), MaxCitation)
		}
		if kept(e, MaxCitation) != e || strings.ContainsAny(e, "\n\t") {
			return fmt.Errorf("evidence[%d] contains control characters", i)
		}
	}
	return nil
}

// describe says what is wrong with the parameter without repeating its text,
// beyond the name of the property.
func describe(err error) error {
	where := func(p jsontext.Pointer) string {
		name := Parameter
		for token := range p.Tokens() {
			name += "." + Clip(Printable(token), 64)
		}
		return name
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return fmt.Errorf("%s is given twice", where(syntactic.JSONPointer))
		}
		return fmt.Errorf("%s is not valid JSON in UTF-8", where(syntactic.JSONPointer))
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		if errors.Is(err, json.ErrUnknownName) {
			return fmt.Errorf("%s is no property of the rationale", where(semantic.JSONPointer))
		}
		return fmt.Errorf("%s has the wrong type", where(semantic.JSONPointer))
	}
	return fmt.Errorf("%s cannot be read", Parameter)
}

// WithText returns r with what the model said in the same turn and its
// reasoning text, each cut to its limit, and source, which names where they came
// from. r is not changed and may be nil; the result is nil if and only if r is
// nil and both texts are empty.
func WithText(r *Rationale, text, reasoning, source string) *Rationale {
	if text == "" && reasoning == "" {
		return r
	}
	var with Rationale
	if r != nil {
		with = *r
	}
	with.Text, with.Reasoning, with.Source = kept(text, MaxText), kept(reasoning, MaxReasoning), kept(source, MaxCitation)
	return &with
}
