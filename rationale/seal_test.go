package rationale_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

func subjectKey(id string) rationale.SubjectKey {
	return rationale.SubjectKey{ID: id, Secret: bytes.Repeat([]byte(id), 32)[:32]}
}

// private is what every part of a payload here begins with.
const private = "private-"

func about(id string) *rationale.Decision {
	return &rationale.Decision{
		Kind: rationale.KindDecision, ID: id, At: time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC), Verdict: rationale.Deny,
		Arguments: json.RawMessage(`{"customer":"private-1"}`), ArgumentsDigest: "sha256:private-2", ActionDigest: "sha256:private-3",
		Facts:   []rationale.Fact{{Name: "balance", Value: json.RawMessage(`"private-4"`), Source: "the bank"}, {Name: "gone", Error: "private-5"}},
		Derived: []rationale.Fact{{Name: "kind", Digest: "private-6"}},
		Checks: []rationale.Check{
			{Kind: rationale.CheckBound, ID: "bounds[0]", Result: rationale.Failed, Reason: rationale.BoundViolated, Message: "the bound does not hold", Inputs: []rationale.Input{
				{Path: "args.customer", Value: json.RawMessage(`"private-7"`)}, {Path: "args.long", Digest: "private-8"}, {Path: "spend.amount", Value: json.RawMessage(`"5"`)},
			}},
			{Kind: rationale.CheckDerived, ID: "derived.kind", Result: rationale.Errored, Reason: rationale.EvaluationError, Message: "private-9", Quotes: true},
		},
		Rationale:      &rationale.Rationale{Purpose: "private-10", Text: "private-11"},
		RationaleCheck: &rationale.RationaleCheck{Required: []rationale.Field{rationale.Evidence}, NotFound: []string{"private-12"}, Links: []string{"private-13"}, Malformed: "private-14"},
		Spend:          &rationale.Spend{Currency: "EUR", Amount: "5", Basis: "quantity", Quantity: "private-15", Unit: "private-16", Price: "private-17"},
		Telemetry:      []string{"arguments"},
	}
}

func recoded(t *testing.T, rec rationale.Record) (rationale.Record, string) {
	t.Helper()
	line, err := rationale.Marshal(rec)
	require.NoError(t, err)
	back, err := rationale.Unmarshal(line)
	require.NoError(t, err)
	return back, string(line)
}

func TestSealedDecisionsOpenWithTheirKeyAlone(t *testing.T) {
	d, plain := about("d1"), about("d1")
	require.NoError(t, d.Seal(subjectKey("k1")))
	rec, line := recoded(t, d)
	assert.NotContains(t, line, private)
	assert.Equal(t, "k1", rationale.SealedUnder(rec))
	assert.Equal(t, "the bound does not hold", d.Checks[0].Message, "what quotes nothing stays")
	assert.Equal(t, "5", d.Spend.Amount)
	assert.Equal(t, "balance", d.Facts[0].Name)
	assert.Equal(t, "private-9", d.Checks[1].Told, "for the refusal")
	assert.Equal(t, []string{"private-12"}, d.RationaleCheck.Told)
	assert.Equal(t, rationale.RecordKey(subjectKey("k1")).DigestText("action", "sha256:private-3"), d.ActionDigest)

	open, err := rationale.Unseal(rec, subjectKey("k1"))
	require.NoError(t, err)
	got := open.(*rationale.Decision)
	want, _ := recoded(t, plain)
	got.ActionDigest, got.Telemetry = want.(*rationale.Decision).ActionDigest, want.(*rationale.Decision).Telemetry
	assert.Equal(t, want, rationale.Record(got))
	assert.Equal(t, "k1", rationale.SealedUnder(rec), "the sealed one is not changed")

	for name, key := range map[string]rationale.SubjectKey{
		"another": subjectKey("k2"), "its id with another secret": {ID: "k1", Secret: subjectKey("k2").Secret}, "zero": {}, "short": {ID: "k1", Secret: []byte("short")},
	} {
		_, err := rationale.Unseal(rec, key)
		assert.Error(t, err, name)
	}
}

func TestAPayloadBelongsToItsRecord(t *testing.T) {
	a, b := about("d1"), about("d2")
	require.NoError(t, a.Seal(subjectKey("k1")))
	require.NoError(t, b.Seal(subjectKey("k1")))
	assert.NotEqual(t, a.Sealed.Data[12:], b.Sealed.Data[12:])
	a.Sealed, b.Sealed = b.Sealed, a.Sealed
	_, err := rationale.Unseal(a, subjectKey("k1"))
	assert.ErrorContains(t, err, "changed")
	_, err = rationale.Unseal(&rationale.Outcome{ID: "d1", Sealed: b.Sealed}, subjectKey("k1"))
	assert.Error(t, err, "an outcome is no decision")
	for i := range b.Sealed.Data {
		changed := *a.Sealed
		changed.Data = bytes.Clone(changed.Data)
		changed.Data[i] ^= 1
		_, err := rationale.Unseal(&rationale.Decision{ID: "d2", Sealed: &changed}, subjectKey("k1"))
		require.Error(t, err, "byte %d", i)
	}
	_, err = rationale.Unseal(&rationale.Decision{ID: "d2", Sealed: &rationale.Sealed{Key: "k1", Data: []byte("cut")}}, subjectKey("k1"))
	assert.Error(t, err)
	c := about("d3")
	require.NoError(t, c.Seal(subjectKey("k1")))
	c.Checks[0].ID = "bounds[1]"
	_, err = rationale.Unseal(c, subjectKey("k1"))
	assert.ErrorContains(t, err, "checks")
}

func TestWhatCannotBeSealedIsGone(t *testing.T) {
	for name, c := range map[string]struct {
		key rationale.SubjectKey
		id  string
	}{"no key": {rationale.SubjectKey{}, "d1"}, "a short key": {rationale.SubjectKey{ID: "k", Secret: []byte("k")}, "d1"}, "no id": {subjectKey("k1"), ""}} {
		d := about(c.id)
		require.Error(t, d.Seal(c.key), name)
		d.ID = "d1"
		_, line := recoded(t, d)
		assert.NotContains(t, line, private, name)
		assert.Nil(t, d.Sealed)
		assert.Nil(t, d.Telemetry)
	}
	twice := about("d1")
	require.NoError(t, twice.Seal(subjectKey("k1")))
	assert.Error(t, twice.Seal(subjectKey("k2")))
}

func TestSealedOutcomes(t *testing.T) {
	o := &rationale.Outcome{ID: "o1", Decision: "d1", Status: rationale.StatusError, Error: "private-1", ResultDigest: "private-2", ResultBytes: 7, Spent: "5"}
	plain := *o
	require.NoError(t, o.Seal(subjectKey("k1")))
	rec, line := recoded(t, o)
	assert.NotContains(t, line, private)
	assert.Contains(t, line, `"spent":"5"`)
	open, err := rationale.Unseal(rec, subjectKey("k1"))
	require.NoError(t, err)
	want, _ := recoded(t, &plain)
	assert.Equal(t, want, open)
	empty := &rationale.Outcome{ID: "o2"}
	require.NoError(t, empty.Seal(subjectKey("k1")))
	assert.Nil(t, empty.Sealed)
	same, err := rationale.Unseal(empty, subjectKey("k1"))
	require.NoError(t, err)
	assert.Same(t, empty, same)
	assert.False(t, strings.Contains(line, "result_bytes"))
}
