package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

var _ guard.SubjectKeys = (*journal.Subjects)(nil)

func subjectsIn(fs *crashfs.FS) *journal.Subjects {
	return journal.OpenSubjects("/subjects", journal.WithFS(fs))
}

// keysOf is a store of keys that remembers for whom it was asked, or fails.
type keysOf struct {
	guard.SubjectKeys
	asked []string
	fail  error
	panic bool
}

func (k *keysOf) Key(ctx context.Context, subject string) (rationale.SubjectKey, error) {
	if k.panic {
		panic("no keys")
	}
	k.asked = append(k.asked, subject)
	if k.fail != nil {
		return rationale.SubjectKey{}, k.fail
	}
	return k.SubjectKeys.Key(ctx, subject)
}

func TestWhoseDataACallCarries(t *testing.T) {
	replicas := func(c guard.Checked) string {
		var a struct{ Replicas json.Number }
		_ = json.Unmarshal(c.Arguments, &a)
		c.Arguments[0] = 'x'
		if a.Replicas == "2" {
			return ""
		}
		return c.Class + "/" + c.Tool.Name + "/" + a.Replicas.String()
	}
	for name, c := range map[string]struct {
		subject func(guard.Checked) string
		behalf  string
		args    string
		want    []string
	}{
		"the session's person":          {nil, "dana", "1", []string{"dana"}},
		"nobody's":                      {nil, "", "1", nil},
		"the host's":                    {replicas, "dana", "1", []string{"scale/fleet.scale/1"}},
		"the session's, as the host":    {replicas, "dana", "2", []string{"dana"}},
		"nobody's, as the host says":    {replicas, "", "2", nil},
		"not readable":                  {replicas, "dana", `"?"`, []string{"dana"}},
		"not readable, and nobody asks": {nil, "", `"?"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			keys := &keysOf{SubjectKeys: subjectsIn(crashfs.New())}
			s := under(t, "", guard.WithErasure(keys, c.subject))
			ctx, d := s.begin(guard.WithSession(t.Context(), guard.Session{OnBehalfOf: c.behalf}), c.args)
			assert.Equal(t, c.want, keys.asked)
			assert.Equal(t, c.want != nil, s.recorder.Decisions()[0].Sealed != nil)
			if !d.Allowed() {
				return
			}
			assert.Equal(t, `{"replicas":`+c.args+`}`, string(d.Args))
			require.NoError(t, s.End(ctx, d, []byte("done"), nil))
			assert.Equal(t, c.want != nil, s.recorder.Outcomes()[0].Sealed != nil)
			assert.Equal(t, c.want == nil, s.recorder.Outcomes()[0].ResultDigest != "")
			assert.Equal(t, c.want, keys.asked, "once for each call")
		})
	}
}

// Of arguments that cannot be read nobody can tell whose they are, so nothing of
// them is recorded.
func TestWhatCannotBeReadIsLeftOut(t *testing.T) {
	s := under(t, "", guard.WithErasure(subjectsIn(crashfs.New()), func(guard.Checked) string { return "customer" }))
	_, d := s.begin(t.Context(), `"secret"`)
	require.False(t, d.Allowed())
	line, err := rationale.Marshal(s.recorder.Decisions()[0])
	require.NoError(t, err)
	assert.NotContains(t, string(line), "secret")
	assert.Empty(t, s.recorder.Decisions()[0].ArgumentsDigest)
}

func TestWithoutAKeyCallsAreDenied(t *testing.T) {
	for name, keys := range map[string]*keysOf{"an error": {fail: errors.New("the disk is full")}, "a panic": {panic: true}} {
		t.Run(name, func(t *testing.T) {
			s := under(t, ", record: {arguments: telemetry}", guard.WithErasure(keys, func(guard.Checked) string { return "customer" }))
			_, d := s.begin(t.Context(), "7")
			assert.Contains(t, refused(t, d), rationale.EvidenceUnavailable)
			assert.Empty(t, s.recorder.Decisions())
			told := s.tracer.Told().Decided
			require.Len(t, told, 1)
			assert.Empty(t, told[0].Arguments, "nor does telemetry have it")
			assert.Empty(t, told[0].ArgumentsDigest)
			keys.fail, keys.panic, keys.SubjectKeys = nil, false, subjectsIn(crashfs.New())
			assert.True(t, s.decide(t, "7").Allowed())
			assert.EqualValues(t, 1, s.recorder.Lifecycles(rationale.EventEvidence)[0].Denied)
		})
	}
	s := under(t, "", guard.WithErasure(subjectsIn(crashfs.New()), func(guard.Checked) string { panic("whose?") }))
	assert.Contains(t, refused(t, s.decide(t, "7")), rationale.EvidenceUnavailable)
}

func TestErase(t *testing.T) {
	fs := crashfs.New()
	subjects := subjectsIn(fs)
	l, err := ledger.Open("/evidence", journal.WithFS(fs))
	require.NoError(t, err)
	s := under(t, "", guard.WithLedger(l), guard.WithErasure(subjects, nil))
	call := func(person string) guard.Decision {
		ctx, d := s.begin(guard.WithSession(t.Context(), guard.Session{OnBehalfOf: person}), "7")
		require.True(t, d.Allowed(), "%s", d.Refusal())
		require.NoError(t, s.End(ctx, d, []byte("done"), nil))
		return d
	}
	dana, lee := call("dana"), call("lee")
	assert.Equal(t, dana.Record().ActionDigest, call("dana").Record().ActionDigest, "an approval is bound to it")

	_, err = s.Erase(t.Context(), "dana", "", "request 7")
	require.Error(t, err)
	found, err := s.Erase(t.Context(), "dana", "dpo@example.com", "request 7")
	require.NoError(t, err)
	assert.True(t, found)
	found, err = s.Erase(t.Context(), "nobody", "dpo@example.com", "request 7")
	require.NoError(t, err)
	assert.False(t, found)
	assert.NotEqual(t, dana.Record().Sealed.Key, call("dana").Record().Sealed.Key)
	require.NoError(t, l.Close())

	assert.Empty(t, journal.Verify(journal.Expect{FS: fs}, "/evidence").Problems)
	reader, err := subjects.Reader()
	require.NoError(t, err)
	var noted *rationale.Lifecycle
	opened := map[string]string{}
	for e, err := range journal.ReadFS(fs, "/evidence") {
		require.NoError(t, err)
		rec, _, err := reader.Open(e.Record)
		require.NoError(t, err)
		switch r := rec.(type) {
		case *rationale.Decision:
			opened[r.ID] = string(r.Arguments)
		case *rationale.Lifecycle:
			if r.Event == rationale.EventErased {
				noted = r
			}
		}
	}
	assert.Empty(t, opened[dana.Record().ID])
	assert.Equal(t, `{"replicas":7}`, opened[lee.Record().ID])
	require.NotNil(t, noted)
	assert.Equal(t, dana.Record().Sealed.Key, noted.SubjectKey)
	assert.Equal(t, "dpo@example.com", noted.By)
	assert.Equal(t, "request 7", noted.Message)

	_, err = under(t, "").Erase(t.Context(), "dana", "dpo", "why")
	assert.Equal(t, guard.CodeConfig, codeOf(t, err))
}

// A record of the erasure that could not be written is owed, and the next one
// brings it.
func TestAnErasureIsRecordedOnceItCanBe(t *testing.T) {
	s := under(t, "", guard.WithErasure(subjectsIn(crashfs.New()), func(guard.Checked) string { return "customer" }))
	require.True(t, s.decide(t, "7").Allowed())
	s.recorder.Fail(errors.New("the disk is full"))
	_, err := s.Erase(t.Context(), "customer", "dpo", "request 7")
	assert.Equal(t, guard.CodeEvidence, codeOf(t, err))
	s.recorder.Fail(nil)
	require.Empty(t, s.recorder.Lifecycles(rationale.EventErased))
	_, err = s.Erase(t.Context(), "customer", "dpo", "request 8")
	require.NoError(t, err)
	require.Len(t, s.recorder.Lifecycles(rationale.EventErased), 1)
	assert.Equal(t, "request 7", s.recorder.Lifecycles(rationale.EventErased)[0].Message)
}
