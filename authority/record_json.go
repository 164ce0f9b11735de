package authority

import (
	"bytes"
	"encoding/json"

	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// recordMemory is where the JSON of a record is gathered, before it is copied
// in one piece to where it stays.
type recordMemory struct {
	json  []byte
	parts []part

	policy *recordPolicy
	key    *rationale.RecordKey

	shown []shownInput // as the tool's inputs; of this evaluation
}

// part is a piece of the gathered JSON, and the field that it is for.
type part struct {
	to         *json.RawMessage
	start, end int
}

// shownInput is an input that some check shows, for the others that do.
type shownInput struct {
	done       bool
	start, end int    // in the JSON; of an absent value empty
	digest     string // in place of a long value, and of one that is not kept
}

// begin prepares the memory for a tool with so many inputs.
func (r *recordMemory) begin(inputs int) {
	if inputs > cap(r.shown) {
		r.shown = make([]shownInput, inputs)
	}
	r.shown = r.shown[:inputs]
	clear(r.shown)
}

// put makes what was gathered from start on the value of a field.
func (r *recordMemory) put(to *json.RawMessage, start int) {
	r.parts = append(r.parts, part{to, start, len(r.json)})
}

// fact gathers the value of a fact, or of a derived value, at a path.
func (r *recordMemory) fact(f *rationale.Fact, path string, v strictjson.Value) {
	start := len(r.json)
	r.json = v.AppendJSON(r.json)
	if f.Digest = r.dispose(path, start); len(r.json) > start {
		r.put(&f.Value, start)
	}
}

// maxInput bounds a value in a check. Many rules can read one large argument,
// which the record needs only once.
const maxInput = 2048

// show gathers the value at a path once for all checks that show it.
func (r *recordMemory) show(s *shownInput, path string, v strictjson.Value) {
	s.done, s.start = true, len(r.json)
	if v.Kind() != strictjson.Invalid {
		r.json = v.AppendJSON(r.json)
	}
	if s.digest = r.cut(path, s.start); s.digest != "" {
		s.start = len(r.json)
	}
	s.end = len(r.json)
}

// cut takes back what was gathered from start on if it is not kept or long, and
// returns what stands in its place: a digest, or nothing.
func (r *recordMemory) cut(path string, start int) string {
	if keyed := r.dispose(path, start); keyed != "" {
		return keyed
	}
	if len(r.json)-start <= maxInput {
		return ""
	}
	digest := rationale.Digest(r.json[start:])
	r.json = r.json[:start]
	return digest
}

// input gathers one value as itself and several as an array.
func (r *recordMemory) input(in *rationale.Input, values []strictjson.Value) {
	start := len(r.json)
	if len(values) == 1 {
		r.json = values[0].AppendJSON(r.json)
	} else {
		r.json = strictjson.ListValue(values).AppendJSON(r.json)
	}
	if in.Digest = r.cut(in.Path, start); len(r.json) > start {
		r.put(&in.Value, start)
	}
}

// finish copies what was gathered to where it stays.
func (r *recordMemory) finish() {
	kept := bytes.Clone(r.json)
	for _, p := range r.parts {
		*p.to = kept[p.start:p.end:p.end]
	}
	r.forget()
}

func (r *recordMemory) forget() {
	clear(r.parts)
	clear(r.shown)
	r.json, r.parts, r.shown = r.json[:0], r.parts[:0], r.shown[:0]
	r.policy, r.key = nil, nil
}
