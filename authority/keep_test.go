package authority_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// keeping returns the decision on arguments under rules of one tool.
func keeping(t *testing.T, class, arguments string) *rationale.Decision {
	t.Helper()
	tool := authority.Tool{Name: "act", Schema: json.RawMessage(`{"type":"object","properties":{
		"a.b":{"type":"string"},"sql":{"type":"string"}}}`)}
	doc := grantDoc("one")
	doc.Data = []byte(strings.Replace(string(doc.Data), `bounds: [{expr: "args.n <= 5", why: a bound}]`, class, 1))
	set, err := authority.Load([]authority.Document{doc}, authority.Manifest{Tools: []authority.Tool{tool}}, authority.AllowUnsigned())
	require.NoError(t, err)
	d := decide(set, noon, arguments)
	d.ID = "0"
	return d
}

func TestDroppedArgumentsLeaveTheRecord(t *testing.T) {
	long := strings.Repeat("hidden", 1000)
	d := keeping(t, "record: {arguments: drop}, bounds: [{expr: \"args.`a.b` != '' && args.sql != ''\", why: w}]",
		`{"a.b":"hidden","sql":"`+long+`"}`)
	require.Equal(t, rationale.Allow, d.Verdict)
	for _, c := range d.Checks {
		for _, in := range c.Inputs {
			assert.Empty(t, in.Value, in.Path)
			assert.Empty(t, in.Digest, in.Path)
		}
	}
	record, err := rationale.Marshal(d)
	require.NoError(t, err)
	assert.NotContains(t, string(record), "hidden")
}

// One large argument that many rules read must not make a record many times as
// large.
func TestALongInputIsRecordedOnce(t *testing.T) {
	long := strings.Repeat("a", 1<<18)
	d := keeping(t, `bounds: [`+strings.Repeat(`{expr: "args.sql != 'x'", why: w}, `, 40)+`{expr: "args.sql != 'y'", why: w}], allow: {args.sql: [b]}`, `{"sql":"`+long+`"}`)
	record, err := rationale.Marshal(d)
	require.NoError(t, err)
	assert.Less(t, len(record), 2*len(long))
	for _, c := range d.Checks {
		for _, in := range c.Inputs {
			assert.Empty(t, in.Value)
			assert.Equal(t, rationale.Digest([]byte(`"`+long+`"`)), in.Digest)
		}
	}
}
