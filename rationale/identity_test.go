package rationale_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

func TestNewID(t *testing.T) {
	now := at("2026-11-01T10:00:00.123456789Z")
	text := rationale.NewID(now)
	id, err := uuid.Parse(text)
	require.NoError(t, err)
	assert.Equal(t, uuid.Version(7), id.Version())
	assert.Equal(t, uuid.RFC4122, id.Variant())
	seconds, nanos := id.Time().UnixTime()
	assert.Equal(t, now.Truncate(time.Millisecond), time.Unix(seconds, nanos).UTC())
	assert.NotEqual(t, text, rationale.NewID(now), "two ids of one moment")
	assert.Less(t, text, rationale.NewID(now.Add(time.Microsecond)))
	assert.Less(t, text, rationale.NewID(now.Add(time.Millisecond)))
}

func TestNewIDBefore1970(t *testing.T) {
	for _, now := range []time.Time{{}, time.UnixMicro(-1), time.Unix(0, 0)} {
		assert.Regexp(t, `^00000000-0000-7000-[89ab]`, rationale.NewID(now))
	}
}

func action() rationale.Action {
	return rationale.Action{
		Agent: "agent", Environment: "prod", OnBehalfOf: "user", Tool: classify.ToolID{Server: "k8s", Name: "scale"},
		ToolDigest: "sha256:aa", Arguments: []byte(`{"n":9007199254740992}`), Authorization: "sha256:bb",
		Class: "scaling", Model: rationale.Model{Provider: "p", Name: "m", Version: "v"},
	}
}

func digest(t *testing.T, a rationale.Action) string {
	t.Helper()
	d, err := rationale.ActionDigest(a)
	require.NoError(t, err)
	return d
}

func TestActionDigestChangesWithEveryPart(t *testing.T) {
	changes := map[string]func(a *rationale.Action){
		"agent":          func(a *rationale.Action) { a.Agent = "agent2" },
		"environment":    func(a *rationale.Action) { a.Environment = "" },
		"on behalf of":   func(a *rationale.Action) { a.OnBehalfOf = "" },
		"server":         func(a *rationale.Action) { a.Tool.Server = "" },
		"server or name": func(a *rationale.Action) { a.Tool = classify.ToolID{Name: "k8s/scale"} },
		"tool":           func(a *rationale.Action) { a.Tool.Name = "Scale" },
		"tool digest":    func(a *rationale.Action) { a.ToolDigest = "sha256:ab" },
		"argument":       func(a *rationale.Action) { a.Arguments = []byte(`{"n":9007199254740993}`) },
		"argument type":  func(a *rationale.Action) { a.Arguments = []byte(`{"n":"9007199254740992"}`) },
		"no arguments":   func(a *rationale.Action) { a.Arguments = nil },
		"authorization":  func(a *rationale.Action) { a.Authorization = "sha256:bc" },
		"class":          func(a *rationale.Action) { a.Class = "scaling.up" },
		"provider":       func(a *rationale.Action) { a.Model.Provider = "" },
		"model":          func(a *rationale.Action) { a.Model.Name = "m2" },
		"model version":  func(a *rationale.Action) { a.Model.Version = "v2" },
		"moved text":     func(a *rationale.Action) { a.Agent, a.Environment = "agentprod", "" },
		"swapped text":   func(a *rationale.Action) { a.Agent, a.Environment = a.Environment, a.Agent },
		"quoted text":    func(a *rationale.Action) { a.Agent = `agent","environment":"prod` },
	}
	seen := map[string]string{digest(t, action()): "unchanged"}
	for name, change := range changes {
		a := action()
		change(&a)
		d := digest(t, a)
		assert.NotContains(t, seen, d, "%s and %s share a digest", name, seen[d])
		seen[d] = name
	}
}

func TestActionDigestIsOfValues(t *testing.T) {
	want := digest(t, action())
	assert.Equal(t, "sha256:3b37b4e58e2dff076a9b5e48b9021a27508a2d2773bd2b2da4219e817f23ca87", want, "the digest is stored: it must not change between versions")
	same := action()
	same.Arguments = []byte(" {\"\\u006e\" : 9007199254740992.0e0 }")
	same.Model.Basis, same.Model.Pin = "asserted", rationale.Match
	assert.Equal(t, want, digest(t, same))
	empty, none := action(), action()
	empty.Arguments, none.Arguments = []byte("{}"), nil
	assert.Equal(t, digest(t, empty), digest(t, none))
}

func TestActionDigestRefuses(t *testing.T) {
	for name, change := range map[string]func(a *rationale.Action){
		"invalid UTF-8":      func(a *rationale.Action) { a.OnBehalfOf = "\xff" },
		"broken arguments":   func(a *rationale.Action) { a.Arguments = []byte(`{"n":1`) },
		"repeated argument":  func(a *rationale.Action) { a.Arguments = []byte(`{"n":1,"n":2}`) },
		"injected arguments": func(a *rationale.Action) { a.Arguments = []byte(`{},"class":"x"`) },
	} {
		t.Run(name, func(t *testing.T) {
			a := action()
			change(&a)
			d, err := rationale.ActionDigest(a)
			assert.Error(t, err)
			assert.Empty(t, d)
		})
	}
}

func TestDigest(t *testing.T) {
	assert.Equal(t, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", rationale.Digest(nil))
}
