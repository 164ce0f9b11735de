package rationale_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

// fullDecision sets every field.
func fullDecision() *rationale.Decision {
	would := rationale.Pend
	return &rationale.Decision{
		Kind: rationale.KindDecision, ID: "0193-d", At: at("2026-11-01T10:00:00.5Z"), Parent: "0193-p",
		Verdict: rationale.Allow, Would: &would, Mode: rationale.Observe,
		Reasons: []rationale.Reason{rationale.NotAllowed}, Standing: rationale.StandingActive,
		Class: "scaling.horizontal", Domain: "scaling", Effect: "write",
		BaseTier: classify.Parameterized, Tier: classify.BoundedEscalation,
		Agent:  rationale.Agent{ID: "spiffe://a", Environment: "prod", Session: "s1", OnBehalfOf: "u1"},
		Model:  rationale.Model{Provider: "p", Name: "m", Version: "v", Basis: "reported", Pin: rationale.Match},
		Prompt: rationale.Prompt{Digest: "sha256:aa", Pin: rationale.Mismatch},
		Tool:   rationale.Tool{Server: "k8s", Name: "scale", Digest: "sha256:bb", Pin: rationale.Match},
		CallID: "call-1",
		Authorization: &rationale.AuthorizationRef{
			ID: "payments", Version: 4, Digest: "sha256:cc", Owner: "o@x", Body: "cab", GrantedBy: []string{"j@x"},
			GrantedAt: at("2026-10-01T00:00:00Z"), Expires: at("2027-01-01T00:00:00Z"),
			NextReview: at("2026-12-30T00:00:00Z"), Record: "https://x/1", Unsigned: true, Matrix: "sha256:dd",
			Controls: []string{"SOX"},
		},
		Arguments: json.RawMessage(`{"n":9007199254740993}`), ArgumentsDigest: "sha256:ee", ActionDigest: "sha256:ff",
		Checks: []rationale.Check{{
			Kind: rationale.CheckBound, ID: "bounds[0]", Why: "cap", Result: rationale.Failed,
			Reason: rationale.BoundViolated, Message: "too many",
			Inputs: []rationale.Input{{Path: "args.n", Value: json.RawMessage(`12`)}, {Path: "args.gone"}},
			Within: "3 to 60", To: classify.AuthorizationRequired,
		}},
		Facts: []rationale.Fact{{
			Name: "f", Value: json.RawMessage(`{}`), Source: "api", At: at("2026-11-01T09:59:59Z"), Error: "e",
		}},
		Derived: []rationale.Fact{{Name: "d", Value: json.RawMessage(`""`)}},
		Spend: &rationale.Spend{
			Currency: "EUR", Amount: "1.20", Basis: "quantity", Quantity: "2", Unit: "u", Price: "0.60",
			PriceList: "pl", Limit: "5", Top: "10", Observed: true, CostCentre: "CC",
		},
		Review: &rationale.ReviewDue{By: []string{"group:r"}, Due: at("2026-11-03T10:00:00Z"), Reason: "tier", NotBy: []string{"group:a"}},
		Ticket: &rationale.Ticket{
			By: []string{"group:a"}, Quorum: 2, Expires: at("2026-11-01T10:30:00Z"), Capped: true,
			Ceilings: []rationale.Ceiling{{Group: "g", Currency: "EUR", UpTo: "5"}, {Person: "p", Currency: "EUR", UpTo: "6"}},
		},
		Rationale: &rationale.Rationale{
			Purpose: "p", Expected: "e", Alternatives: []rationale.Alternative{{Option: "o", Rejected: "r"}},
			Evidence: []string{"call-0"}, Fallback: "f", Uncertainty: "u", Text: "t", Reasoning: "r", Source: "s",
		},
		RationaleCheck: &rationale.RationaleCheck{
			Required: []rationale.Field{rationale.Purpose}, Missing: []rationale.Field{rationale.Fallback},
			Found: []string{"call-0"}, NotFound: []string{"x"}, Links: []string{"https://x"}, Malformed: "m", Complete: true,
		},
		Approval: "ap-1",
		Host:     rationale.TraceContext{TraceID: "aa", SpanID: "bb", Flags: 1, State: "k=v"},
	}
}

func fullOutcome() *rationale.Outcome {
	return &rationale.Outcome{
		Kind: rationale.KindOutcome, ID: "0193-o", At: at("2026-11-01T10:00:02Z"), Decision: "0193-d",
		Started: at("2026-11-01T10:00:01Z"), Status: rationale.StatusError, Error: "boom", ErrorType: "timeout",
		ResultDigest: "sha256:aa", ResultBytes: 1 << 60, Effect: "e-1", Spent: "1.20",
	}
}

func fullLifecycle() *rationale.Lifecycle {
	return &rationale.Lifecycle{
		Kind: rationale.KindLifecycle, ID: "0193-l", At: at("2026-11-01T10:00:00Z"), Event: rationale.EventLoaded,
		Agent: rationale.Agent{ID: "a", Environment: "prod"}, Authorization: fullDecision().Authorization,
		Standing: rationale.StandingExpired, Document: "a.yaml", Digest: "sha256:aa", Bytes: []byte("id: a\n\xff"),
		Signature: []byte("{}"), Supersedes: "sha256:bb", Message: "m", Denied: 3,
		From: at("2026-11-01T09:00:00Z"), Until: at("2026-11-01T09:30:00Z"),
		Suspension: &rationale.Suspension{Everything: true, Agent: "a", Authorization: "z", Class: "c"},
		Audit:      &rationale.Audit{Authorization: "z", Unexplained: 1, Unauthorized: 2, Judged: 4}, Answers: "0193-m",
	}
}

func fullApproval() *rationale.Approval {
	d := fullDecision()
	return &rationale.Approval{
		Kind: rationale.KindApproval, ID: "0193-a", At: at("2026-11-01T10:05:00Z"), Ticket: "0193-p",
		By: rationale.Person{ID: "kim@x", Groups: []string{"oncall"}}, Answer: rationale.AnswerDeny, Why: "w", Change: "CHG-1",
		ActionDigest: "hmac-sha256:k:ff", Currency: "EUR", Amount: "1.20", UpTo: "5", Asked: d.At, Expires: at("2026-11-01T10:30:00Z"),
		Agent: d.Agent, Tool: d.Tool, Class: d.Class, Authorization: d.Authorization, Host: d.Host,
	}
}

func fullReview() *rationale.Review {
	d := fullDecision()
	return &rationale.Review{
		Kind: rationale.KindReview, ID: "0193-r", At: at("2026-11-02T10:05:00Z"), Decision: "0193-d",
		By: rationale.Person{ID: "rae@x", Groups: []string{"risk"}}, Finding: rationale.UpheldWithAction, Why: "w", Action: "TASK-1",
		Reason: "tier", Owed: d.At, Due: at("2026-11-03T10:00:00Z"), ActionDigest: "sha256:ff",
		Agent: d.Agent, Tool: d.Tool, Class: d.Class, Authorization: d.Authorization, Host: d.Host,
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	for name, rec := range map[string]rationale.Record{
		"decision": fullDecision(), "outcome": fullOutcome(), "lifecycle": fullLifecycle(),
		"approval": fullApproval(), "review": fullReview(),
		"settlement": &rationale.Settlement{
			Kind: rationale.KindSettlement, ID: "0193-s", At: at("2026-11-01T10:00:00Z"), Decision: "0193-d",
			Status: rationale.StatusSuccess, Spent: "12.5", By: "m.okafor@bank.example", Why: "statement of 2 November",
		},
		"kind of a later version": &rationale.Unknown{
			Kind: "forecast", ID: "0193-s", At: at("2026-11-01T10:00:00Z"),
			Body: json.RawMessage(`{"amount":1.50,"at":"2026-11-01T10:00:00Z","id":"0193-s","kind":"forecast"}`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			line, err := rationale.Marshal(rec)
			require.NoError(t, err)
			canonical, err := rationale.Canonicalize(line)
			require.NoError(t, err)
			assert.Equal(t, string(canonical), string(line))
			back, err := rationale.Unmarshal(line)
			require.NoError(t, err)
			if unknown, ok := rec.(*rationale.Unknown); ok {
				unknown.Body = line // 1.50 is canonically 1.5
			}
			assert.Equal(t, rec, back)
		})
	}
}

func TestMarshalDecisionBytes(t *testing.T) {
	d := &rationale.Decision{
		ID: "1", At: time.Date(2026, 11, 1, 11, 0, 0, 500, time.FixedZone("", 3600)),
		Arguments: json.RawMessage(`{}`), Tool: rationale.Tool{Name: "t"}, CallID: "a\nb\u202e",
	}
	line, err := rationale.Marshal(d)
	require.NoError(t, err)
	assert.Equal(t, `{"agent":{"environment":"","id":""},"arguments":{},"at":"2026-11-01T10:00:00.0000005Z",`+
		`"base_tier":"unknown","call_id":"a\nb`+"\u202e"+`","id":"1","kind":"decision","mode":"enforce","reasons":[],`+
		`"standing":"none","tier":"unknown","tool":{"name":"t"},"verdict":"deny"}`, string(line))
	assert.Empty(t, d.Kind, "Marshal must not change the record")
}

func TestMarshalRefuses(t *testing.T) {
	var missing *rationale.Decision
	for name, rec := range map[string]rationale.Record{
		"nil":              nil,
		"nil decision":     missing,
		"no id":            &rationale.Outcome{},
		"invalid UTF-8":    &rationale.Outcome{ID: "1", Error: "\xff"},
		"broken raw JSON":  &rationale.Decision{ID: "1", Arguments: json.RawMessage(`{`)},
		"empty raw JSON":   &rationale.Decision{ID: "1", Arguments: json.RawMessage{}},
		"repeated name":    &rationale.Decision{ID: "1", Arguments: json.RawMessage(`{"a":1,"a":2}`)},
		"year beyond 9999": &rationale.Outcome{ID: "1", At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"another type":     foreignRecord{},
	} {
		t.Run(name, func(t *testing.T) {
			line, err := rationale.Marshal(rec)
			assert.Error(t, err, "%s", line)
		})
	}
}

type foreignRecord struct{ rationale.Outcome }

func (foreignRecord) RecordKind() rationale.Kind { return "foreign" }
func (foreignRecord) RecordID() string           { return "1" }
func (foreignRecord) RecordTime() time.Time      { return time.Time{} }

// The zero value denies, and so does what a newer writer calls by a new name.
func TestUnknownNamesDecodeToDeny(t *testing.T) {
	rec, err := rationale.Unmarshal([]byte(`{"kind":"decision","id":"1","verdict":"permit","tier":"autonomous",` +
		`"base_tier":"Parameterized","standing":"fine","mode":"off","would":"ALLOW","added_later":[1]}`))
	require.NoError(t, err)
	d := rec.(*rationale.Decision)
	assert.Equal(t, rationale.Deny, d.Verdict)
	assert.Equal(t, classify.TierUnknown, d.Tier)
	assert.Equal(t, classify.TierUnknown, d.BaseTier)
	assert.Equal(t, rationale.StandingNone, d.Standing)
	assert.Equal(t, rationale.Enforce, d.Mode)
	assert.Equal(t, rationale.Deny, *d.Would)
}

// A record is of the kind that it says itself, whatever its values say.
func TestUnmarshalOfValuesThatLookLikeRecords(t *testing.T) {
	for body, want := range map[string]rationale.Record{
		`{"arguments":{"id":"2","kind":"outcome"},"id":"1","kind":"decision"}`:         &rationale.Decision{},
		`{"arguments":{"id":"2","kind":"decision"},"id":"1","kind":"outcome"}`:         &rationale.Outcome{},
		`{"bytes":{"kind":"outcome","x":{"kind":"decision"}},"id":"1","kind":"later"}`: &rationale.Unknown{},
		`{"kind":"lifecycle","id":"1","other":{"kind":"decision"}}`:                    &rationale.Lifecycle{},
	} {
		rec, err := rationale.Unmarshal([]byte(body))
		require.NoError(t, err, body)
		assert.IsType(t, want, rec, body)
		assert.Equal(t, "1", rec.RecordID())
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for name, line := range map[string]string{
		"no object":                        `[]`,
		"no kind":                          `{"id":"1"}`,
		"kind in capital":                  `{"Kind":"decision","id":"1"}`,
		"no id":                            `{"kind":"decision"}`,
		"no id, unknown":                   `{"kind":"later"}`,
		"wrong type":                       `{"kind":"decision","id":"1","checks":7}`,
		"a number where a verdict belongs": `{"kind":"decision","id":"1","verdict":2}`,
		"repeated name":                    `{"kind":"decision","id":"1","verdict":"deny","verdict":"allow"}`,
		"invalid UTF-8":                    "{\"kind\":\"decision\",\"id\":\"\xff\"}",
		"trailing data":                    `{"kind":"outcome","id":"1"}{}`,
	} {
		t.Run(name, func(t *testing.T) {
			rec, err := rationale.Unmarshal([]byte(line))
			assert.Error(t, err, "%+v", rec)
		})
	}
}

func TestUnknownKindIsKeptVerbatim(t *testing.T) {
	line := []byte(`{"at":"2026-11-01T10:00:00Z","id":"1","kind":"audit","later":9007199254740993}`)
	rec, err := rationale.Unmarshal(line)
	require.NoError(t, err)
	assert.Equal(t, rationale.Kind("audit"), rec.RecordKind())
	assert.Equal(t, "1", rec.RecordID())
	assert.Equal(t, at("2026-11-01T10:00:00Z"), rec.RecordTime())
	again, err := rationale.Marshal(rec)
	require.NoError(t, err)
	assert.Equal(t, string(line), string(again))
	line[2] = 'X'
	assert.True(t, strings.HasPrefix(string(rec.(*rationale.Unknown).Body), `{"at"`), "Body must not share memory")
}

func TestAppendRecord(t *testing.T) {
	for _, rec := range []rationale.Record{fullDecision(), fullOutcome(), &rationale.Snapshot{ID: "1", State: []byte(`{}`)}} {
		want, err := rationale.Marshal(rec)
		require.NoError(t, err)
		got, err := rationale.AppendRecord([]byte("before "), rec)
		require.NoError(t, err)
		assert.Equal(t, "before "+string(want), string(got))
	}
	got, err := rationale.AppendRecord([]byte("before"), new(rationale.Outcome))
	assert.Error(t, err)
	assert.Equal(t, "before", string(got))
}

func TestUnmarshalAsRefusesAnotherKind(t *testing.T) {
	data, err := rationale.Marshal(fullOutcome())
	require.NoError(t, err)
	o, err := rationale.UnmarshalAs[*rationale.Outcome](data)
	require.NoError(t, err)
	assert.Equal(t, fullOutcome().Decision, o.Decision)
	_, err = rationale.UnmarshalAs[*rationale.Decision](data)
	assert.ErrorContains(t, err, "is of kind outcome")
	_, err = rationale.UnmarshalAs[*rationale.Decision](data[1:])
	assert.Error(t, err)
}
