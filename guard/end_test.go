package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/rationale"
)

// brokenError panics when it is asked what it is.
type brokenError struct{}

func (brokenError) Error() string { panic("broken") }

func TestOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		result []byte
		err    error
		want   rationale.Outcome
	}{
		"success":          {[]byte("ok"), nil, rationale.Outcome{Status: rationale.StatusSuccess, ResultBytes: 2, ResultDigest: rationale.Digest([]byte("ok"))}},
		"an empty result":  {[]byte{}, nil, rationale.Outcome{Status: rationale.StatusSuccess, ResultDigest: rationale.Digest(nil)}},
		"no result":        {nil, nil, rationale.Outcome{Status: rationale.StatusSuccess}},
		"error":            {nil, errors.New("gone"), rationale.Outcome{Status: rationale.StatusError, Error: "gone", ErrorType: "*errors.errorString"}},
		"wrapped error":    {nil, fmt.Errorf("a: %w", fmt.Errorf("b: %w", &fs.PathError{Op: "open", Path: "p", Err: fs.ErrNotExist})), rationale.Outcome{Status: rationale.StatusError, Error: "a: b: open p: file does not exist", ErrorType: "*fs.PathError"}},
		"cancellation":     {nil, fmt.Errorf("x: %w", context.Canceled), rationale.Outcome{Status: rationale.StatusError, Error: "x: context canceled", ErrorType: "canceled"}},
		"timeout":          {nil, context.DeadlineExceeded, rationale.Outcome{Status: rationale.StatusError, Error: "context deadline exceeded", ErrorType: "timeout"}},
		"panic":            {nil, guard.Panicked("boom"), rationale.Outcome{Status: rationale.StatusPanic, Error: "guard: the tool panicked: boom", ErrorType: "panic"}},
		"not executed":     {nil, guard.NotExecuted(errors.New("no slot")), rationale.Outcome{Status: rationale.StatusNotExecuted, Error: "guard: the tool did not run: no slot", ErrorType: "*errors.errorString"}},
		"unknown":          {nil, guard.Unknown(errors.New("no answer")), rationale.Outcome{Status: rationale.StatusUnknown, Error: "guard: how the tool ended is unknown: no answer", ErrorType: "*errors.errorString"}},
		"unknown inside":   {nil, fmt.Errorf("inner: %w", guard.Unknown(errors.New("no answer"))), rationale.Outcome{Status: rationale.StatusError, Error: "inner: guard: how the tool ended is unknown: no answer", ErrorType: "*guard.Error"}},
		"a panic inside":   {nil, fmt.Errorf("inner: %w", guard.Panicked("boom")), rationale.Outcome{Status: rationale.StatusError, Error: "inner: guard: the tool panicked: boom", ErrorType: "*guard.Error"}},
		"an error panics":  {nil, brokenError{}, rationale.Outcome{Status: rationale.StatusError, Error: "a guard_test.brokenError that panics when it is printed", ErrorType: "guard_test.brokenError"}},
		"terminal escapes": {nil, errors.New("a\x1b[31m\nb"), rationale.Outcome{Status: rationale.StatusError, Error: `a\x1b[31m\nb`, ErrorType: "*errors.errorString"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := under(t, "")
			ctx, d := s.begin(t.Context(), "1")
			require.True(t, d.Allowed(), "%s", d.Refusal())
			require.NoError(t, s.End(ctx, d, c.result, c.err))
			require.Len(t, s.recorder.Outcomes(), 1)
			got := *s.recorder.Outcomes()[0]
			assert.NotEmpty(t, got.ID)
			assert.Equal(t, d.Record().ID, got.Decision)
			got.ID, got.Decision, got.Kind = "", "", ""
			c.want.At, c.want.Started = s.clock.Now(), s.clock.Now()
			assert.Equal(t, c.want, got)
		})
	}
}

func TestLongErrorsAreCut(t *testing.T) {
	s := under(t, "")
	ctx, d := s.begin(t.Context(), "1")
	require.NoError(t, s.End(ctx, d, nil, errors.New(strings.Repeat("x", 1<<20))))
	assert.LessOrEqual(t, len(s.recorder.Outcomes()[0].Error), 1024)
}

func TestOutcomeCarriesWhatWasSpent(t *testing.T) {
	s := under(t, `, spend: {currency: EUR, estimate: {quantity: args.replicas, price: "0.10"}, per_event: {parameterized: "10.00"}}`)
	for _, c := range []struct {
		err  error
		want string
	}{{nil, "0.3"}, {errors.New("half done"), "0.3"}, {guard.NotExecuted(nil), ""}} {
		ctx, d := s.begin(t.Context(), "3")
		require.True(t, d.Allowed(), "%s", d.Refusal())
		require.NoError(t, s.End(ctx, d, nil, c.err))
		outcomes := s.recorder.Outcomes()
		assert.Equal(t, c.want, outcomes[len(outcomes)-1].Spent)
	}
}

func TestDroppedResultsLeaveNothingOfTheResult(t *testing.T) {
	s := under(t, `, record: {results: drop}`)
	ctx, d := s.begin(t.Context(), "1")
	require.True(t, d.Allowed(), "%s", d.Refusal())
	require.NoError(t, s.End(ctx, d, []byte("secret"), errors.New("secret")))
	got := s.recorder.Outcomes()[0]
	assert.Empty(t, got.ResultDigest)
	assert.Zero(t, got.ResultBytes)
	assert.Empty(t, got.Error)
	assert.Equal(t, "*errors.errorString", got.ErrorType)
}

func codeOf(t *testing.T, err error) guard.ErrorCode {
	t.Helper()
	var e *guard.Error
	require.ErrorAs(t, err, &e)
	return e.Code
}

func TestOneOutcomeEach(t *testing.T) {
	s := under(t, `, bounds: [{expr: "args.replicas <= 10"}]`)
	_, denied := s.begin(t.Context(), "11")
	assert.Equal(t, guard.CodeNotAllowed, codeOf(t, s.End(t.Context(), denied, nil, nil)))

	_, d := s.begin(t.Context(), "1")
	var (
		won   atomic.Int32
		group sync.WaitGroup
	)
	for range 8 {
		group.Go(func() {
			if s.End(context.Background(), d, nil, nil) == nil {
				won.Add(1)
			}
		})
	}
	group.Wait()
	assert.EqualValues(t, 1, won.Load())
	assert.Equal(t, guard.CodeEnded, codeOf(t, s.End(t.Context(), d, nil, nil)))
	assert.Len(t, s.recorder.Outcomes(), 1)
	assert.Len(t, s.tracer.Told().Finished, 1)
}

func TestOutcomeIsRecordedAfterCancellation(t *testing.T) {
	s := under(t, "")
	parent, cancel := context.WithCancel(t.Context())
	ctx, d := s.begin(parent, "1")
	cancel()
	require.NoError(t, s.End(ctx, d, nil, context.Canceled))
	assert.Len(t, s.recorder.Outcomes(), 1)
}

// A session in which a call has just ended is not the one that was idle for
// longest.
func TestEndKeepsItsSession(t *testing.T) {
	const sessions = 4096
	s := open(t, []authority.Document{grantDocument("fleet",
		"  - {id: scale, tools: [fleet.scale], tier: parameterized, rationale: [evidence]}\n"+
			"  - {id: read, tools: [fleet.read], tier: parameterized, effect: read}\n")})
	require.NoError(t, s.Register(authority.Tool{Name: "fleet.read"}))
	read := func(session int) (context.Context, guard.Decision) {
		ctx := guard.WithSession(t.Context(), guard.Session{ID: fmt.Sprint(session)})
		return s.Begin(ctx, guard.Call{ID: "read", Tool: classify.ToolID{Name: "fleet.read"}})
	}
	ctx, d := read(0)
	for i := range sessions - 1 {
		read(1 + i)
	}
	require.NoError(t, s.End(ctx, d, nil, nil))
	read(sessions) // session 1 makes room
	_, d = s.Begin(guard.WithSession(t.Context(), guard.Session{ID: "0"}), guard.Call{
		Tool: scaleID, Arguments: []byte(`{"replicas":1,"_rationale":{"evidence":["read"]}}`),
	})
	assert.True(t, d.Allowed(), "%s", d.Refusal())
}

func TestUnrecordedOutcomeStaysUnknown(t *testing.T) {
	s := under(t, "")
	_, d := s.begin(t.Context(), "1")
	s.recorder.Fail(errors.New("disk full"))
	err := s.End(t.Context(), d, []byte("ok"), nil)
	assert.Equal(t, guard.CodeEvidence, codeOf(t, err))
	assert.ErrorContains(t, err, "disk full")
	s.recorder.Fail(nil)
	assert.Equal(t, guard.CodeEnded, codeOf(t, s.End(t.Context(), d, []byte("ok"), nil)))
	finished := s.tracer.Told().Finished
	require.Len(t, finished, 1)
	assert.Equal(t, rationale.StatusUnknown, finished[0].Status)
}

func TestTracerIsToldInOrderAndWithItsOwnContext(t *testing.T) {
	s := under(t, `, bounds: [{expr: "args.replicas <= 10"}]`)
	_, _ = s.begin(t.Context(), "11")
	_, d := s.begin(t.Context(), "1")
	require.NoError(t, s.End(context.Background(), d, nil, nil), "End with a context that is not Begin's")
	told := s.tracer.Told()
	assert.Len(t, told.Decided, 2)
	require.Len(t, told.Executed, 1)
	require.Len(t, told.Finished, 1)
	assert.Equal(t, d.Record().ID, told.Finished[0].Decision)
	assert.Equal(t, told.Executed[0].ID, told.Finished[0].Decision)
}

func TestTheNewestRecordKeySigns(t *testing.T) {
	s := under(t, `, record: {arguments: hmac, results: hmac}`, guard.WithRecordKeys(recordKey("old"), recordKey("new")))
	ctx, d := s.begin(t.Context(), "1")
	require.True(t, d.Allowed(), "%s", d.Refusal())
	require.NoError(t, s.End(ctx, d, []byte("done"), nil))
	assert.Equal(t, recordKey("new").Digest("arguments", []byte(`{"replicas":1}`)), s.recorder.Decisions()[0].ArgumentsDigest)
	assert.Equal(t, recordKey("new").Digest("results", []byte("done")), s.recorder.Outcomes()[0].ResultDigest)
	assert.Equal(t, []string{"old", "new"}, s.Manifest().RecordKeys)
	assert.NotContains(t, string(s.Manifest().YAML()), "secret")
}

func TestADocumentThatAsksForKeyedDigestsNeedsAKey(t *testing.T) {
	docs := []authority.Document{grantDocument("fleet", scaleClass(`, record: {results: hmac}`))}
	_, err := guard.New(docs, guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment}, guard.WithoutEvidence(), guard.AllowUnsigned())
	assert.ErrorContains(t, err, "guard.WithRecordKeys")
}
