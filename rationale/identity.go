package rationale

import (
	"crypto/rand"
	"encoding/binary"
	stdjson "encoding/json"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/ambit-go/ambit/classify"
)

// NewID returns a UUIDv7 (RFC 9562) of that time: the milliseconds since 1970,
// then the fraction of the millisecond in 1/4096, then 62 random bits. Ids of
// one clock sort by time to a quarter of a microsecond. Times before 1970 count
// as 1970. Safe for concurrent use.
func NewID(now time.Time) string {
	var id uuid.UUID
	_, _ = rand.Read(id[8:]) // never fails: crypto/rand ends the process first
	ms := max(now.UnixMilli(), 0)
	fraction := max(now.Sub(time.UnixMilli(ms)).Nanoseconds(), 0) * 4096 / int64(time.Millisecond)
	binary.BigEndian.PutUint64(id[:8], uint64(ms)<<16|0x7000|uint64(fraction)&0x0fff)
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// Action is everything that an approval is bound to.
type Action struct {
	Agent         string
	Environment   string
	OnBehalfOf    string
	Tool          classify.ToolID
	ToolDigest    string
	Arguments     []byte // any JSON spelling; empty counts as {}
	Authorization string // digest of the document
	Class         string
	Model         Model // Basis and Pin do not count
}

// ActionDigest returns the digest of the action's canonical encoding: a JSON
// object with one member for each part, so that no two actions share one and a
// change of any part changes it. Arguments of equal value have equal digests,
// however they are spelled; canonical ones cost least.
//
// Text that is not valid UTF-8, and arguments that [Canonicalize] refuses, are
// errors.
func ActionDigest(a Action) (string, error) {
	if len(a.Arguments) == 0 {
		a.Arguments = []byte("{}")
	}
	w := newWriter()
	defer w.release()
	if w.action(&a); !w.failed {
		return Digest(w.out), nil
	}
	body, err := marshalAction(&a)
	if err == nil {
		body, err = canonicalize(body)
	}
	if err != nil {
		return "", fmt.Errorf("action digest: %w", err)
	}
	return Digest(body), nil
}

// action appends the action's canonical encoding.
func (w *writer) action(a *Action) {
	f := &w.last
	if !f.of(a) {
		w.frame(a)
		w.out = w.out[:0]
	}
	w.out = append(w.out, f.text[:f.arguments]...)
	w.document(a.Arguments)
	w.out = append(w.out, f.text[f.arguments:f.behalf]...)
	w.text(a.OnBehalfOf)
	w.out = append(w.out, f.text[f.behalf:]...)
	w.failed = w.failed || f.failed
}

// actionFrame is the encoding of an action around its arguments and the person
// whom it is for, which alone differ between many calls in a row.
type actionFrame struct {
	text              []byte
	arguments, behalf int // where they belong
	failed            bool
	action            Action
}

// of reports whether the frame is that of an action.
func (f *actionFrame) of(a *Action) bool {
	b := &f.action
	return f.text != nil && a.Class == b.Class && a.Authorization == b.Authorization && a.Tool == b.Tool &&
		a.ToolDigest == b.ToolDigest && a.Agent == b.Agent && a.Environment == b.Environment &&
		a.Model.Provider == b.Model.Provider && a.Model.Name == b.Model.Name && a.Model.Version == b.Model.Version
}

// frame makes the frame of an action in place of the last one. It leaves out in
// any state.
func (w *writer) frame(a *Action) {
	f, before := &w.last, w.failed
	w.out, w.failed = append(w.out[:0], '{'), false
	w.member("agent", a.Agent)
	w.key("arguments")
	f.arguments = len(w.out)
	w.member("authorization", a.Authorization)
	w.member("class", a.Class)
	w.member("environment", a.Environment)
	w.member("model_name", a.Model.Name)
	w.member("model_provider", a.Model.Provider)
	w.member("model_version", a.Model.Version)
	w.key("on_behalf_of")
	f.behalf = len(w.out)
	w.member("server", a.Tool.Server)
	w.member("tool", a.Tool.Name)
	w.member("tool_digest", a.ToolDigest)
	w.raw("}")
	f.text, f.failed, f.action = append(f.text[:0], w.out...), w.failed, *a
	f.action.Arguments = nil
	w.failed = before
}

// marshalAction is [writer.action] for every action, without canonical form.
func marshalAction(a *Action) ([]byte, error) {
	return json.Marshal(struct {
		Agent         string             `json:"agent"`
		Environment   string             `json:"environment"`
		OnBehalfOf    string             `json:"on_behalf_of"`
		Server        string             `json:"server"`
		Tool          string             `json:"tool"`
		ToolDigest    string             `json:"tool_digest"`
		Arguments     stdjson.RawMessage `json:"arguments"`
		Authorization string             `json:"authorization"`
		Class         string             `json:"class"`
		Provider      string             `json:"model_provider"`
		Name          string             `json:"model_name"`
		Version       string             `json:"model_version"`
	}{
		a.Agent, a.Environment, a.OnBehalfOf, a.Tool.Server, a.Tool.Name, a.ToolDigest,
		a.Arguments, a.Authorization, a.Class, a.Model.Provider, a.Model.Name, a.Model.Version,
	})
}
