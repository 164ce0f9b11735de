package recorddb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/cmd/ambit/internal/recorddb"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// fill sets every member to a value of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 10, 1, 0, 0, *n, *n, time.UTC)))
	case v.Type() == reflect.TypeFor[json.RawMessage]():
		v.SetBytes(fmt.Appendf(nil, `"value %d"`, *n))
	case v.Type() == reflect.TypeFor[[]byte]():
		v.SetBytes(fmt.Appendf(nil, "bytes %d", *n))
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanUint():
		v.SetUint(1)
	case v.CanInt():
		v.SetInt(int64(*n))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	}
}

// entry is a record in its place.
func entry(t *testing.T, rec rationale.Record, seq uint64) journal.Entry {
	t.Helper()
	body, err := rationale.Marshal(rec)
	require.NoError(t, err)
	read, err := rationale.Unmarshal(body)
	require.NoError(t, err)
	e := rationale.Envelope{Journal: "j", Seq: seq, Prev: "p", Body: body}
	hash, err := e.Hash()
	require.NoError(t, err)
	return journal.Entry{File: "1.seg", Envelope: e, Hash: hash, Record: read}
}

// members are where in a record each column's value stands, where that is not the
// member of the same name. Empty: it is not one member; other tests look at it.
var members = map[string]map[string]string{
	"decision": {
		"agent": "agent.id", "environment": "agent.environment", "session": "agent.session", "on_behalf_of": "agent.on_behalf_of",
		"model_provider": "model.provider", "model_name": "model.name", "model_version": "model.version", "model_basis": "model.basis", "model_pin": "model.pin",
		"prompt_digest": "prompt.digest", "prompt_pin": "prompt.pin", "tool_server": "tool.server", "tool": "", "tool_digest": "tool.digest", "tool_pin": "tool.pin",
		"authorization": "authorization.id", "authorization_version": "authorization.version", "authorization_digest": "authorization.digest",
		"owner": "authorization.owner", "body": "authorization.body", "granted_by": "authorization.granted_by", "granted_at": "authorization.granted_at",
		"expires": "authorization.expires", "next_review": "authorization.next_review", "grant_record": "authorization.record",
		"unsigned": "authorization.unsigned", "matrix": "authorization.matrix", "arguments": "",
		"spend_currency": "spend.currency", "spend_amount": "spend.amount", "spend_whole": "", "spend_nano": "", "spend_limit": "spend.limit",
		"spend_limit_whole": "", "spend_limit_nano": "", "spend_top": "spend.top", "spend_basis": "spend.basis", "spend_observed": "spend.observed",
		"cost_centre": "spend.cost_centre", "ticket_expires": "ticket.expires", "ticket_quorum": "ticket.quorum", "ticket_by": "ticket.by",
		"review_due": "review.due", "review_reason": "review.reason", "review_by": "review.by", "rationale_complete": "rationale_check.complete",
		"rationale_missing": "rationale_check.missing", "purpose": "rationale.purpose", "expected": "rationale.expected", "fallback": "rationale.fallback",
		"trace_id": "host.trace_id", "span_id": "host.span_id", "sealed": "", "sealed_key": "sealed.key",
	},
	"outcome":    {"spent_whole": "", "spent_nano": "", "sealed": "", "sealed_key": "sealed.key"},
	"settlement": {"spent_whole": "", "spent_nano": ""},
	"approval": {
		"by": "by.id", "groups": "by.groups", "amount_whole": "", "amount_nano": "", "up_to_whole": "", "up_to_nano": "", "agent": "agent.id",
		"environment": "agent.environment", "on_behalf_of": "agent.on_behalf_of", "tool_server": "tool.server", "tool": "",
		"authorization": "authorization.id", "authorization_digest": "authorization.digest", "owner": "authorization.owner",
	},
	"review": {
		"by": "by.id", "groups": "by.groups", "agent": "agent.id", "environment": "agent.environment", "on_behalf_of": "agent.on_behalf_of",
		"authorization": "authorization.id", "authorization_digest": "authorization.digest", "owner": "authorization.owner",
	},
	"lifecycle": {
		"agent": "agent.id", "environment": "agent.environment", "authorization": "authorization.id", "authorization_version": "authorization.version",
		"authorization_digest": "authorization.digest", "bytes_digest": "", "suspends_everything": "suspension.everything", "suspends_agent": "suspension.agent",
		"suspends_authorization": "suspension.authorization", "suspends_class": "suspension.class", "from_at": "from", "until_at": "until",
		"previous_journal": "previous.journal", "previous_seq": "previous.seq", "previous_hash": "previous.hash",
	},
	"checkpoint":      {"journal": "head.journal", "seq": "head.seq", "hash": "head.hash", "signature": ""},
	"decision_check":  {"check_id": "id", "raised_to": "to"},
	"decision_fact":   {"derived": "", "value": ""},
	"decision_limit":  {"limit_id": "id", "from_at": "from", "until_at": "until"},
	"decision_reason": {"reason": ""},
}

// Every column holds what the record says.
func TestColumnsHoldTheirMembers(t *testing.T) {
	db := database(t)
	n := 0
	for i, rec := range []rationale.Record{
		new(rationale.Decision), new(rationale.Outcome), new(rationale.Settlement), new(rationale.Approval), new(rationale.Review),
		new(rationale.Lifecycle), new(rationale.Checkpoint),
	} {
		fill(reflect.ValueOf(rec).Elem(), &n)
		require.NoError(t, db.Add(entry(t, rec, uint64(i+1)), nil))
	}
	require.NoError(t, db.Finish(asOf))
	for table, paths := range members {
		from := table + ` t JOIN record r ON r.n = t.record`
		at := "$"
		if list := map[string]string{"decision_check": "checks", "decision_fact": "facts", "decision_limit": "limits", "decision_reason": "reasons"}[table]; list != "" {
			from, at = table+` t JOIN record r ON r.id = t.decision`, "$."+list+"[1]"
		}
		for _, column := range columns(t, db, table) {
			path, named := paths[column]
			if !named {
				path = column
			}
			if path == "" || column == "record" || column == "decision" && at != "$" || column == "position" {
				continue
			}
			var got, want any
			query := fmt.Sprintf(`SELECT t.%s, json_extract(r.json, '%s.%s') FROM %s`, column, at, path, from)
			if at != "$" {
				query += " WHERE t.position = 1"
			}
			require.NoError(t, db.SQL().QueryRow(query).Scan(&got, &want), query)
			require.NotNil(t, want, "%s.%s", table, column)
			if moment, err := time.Parse(time.RFC3339Nano, fmt.Sprint(got)); err == nil {
				got = moment.Format(time.RFC3339Nano)
			}
			assert.Equal(t, want, got, "%s.%s", table, column)
		}
	}
	// What is not one member of the same form.
	assert.EqualValues(t, 1, one(t, db, `SELECT tool = json_extract(json, '$.tool.server') || '/' || json_extract(json, '$.tool.name') FROM decision JOIN record ON n = record`))
	assert.EqualValues(t, 1, one(t, db, `SELECT arguments = json -> '$.arguments' FROM decision JOIN record ON n = record`))
	assert.EqualValues(t, 4, one(t, db, `SELECT sum(value = json -> CASE derived WHEN 1 THEN '$.derived' ELSE '$.facts' END -> position -> '$.value')
		FROM decision_fact f JOIN record r ON r.id = f.decision`))
	assert.EqualValues(t, 2, one(t, db, `SELECT sum(reason = json_extract(json, '$.reasons[' || position || ']')) FROM decision_reason f JOIN record r ON r.id = f.decision`))
}

func database(t *testing.T) *recorddb.DB {
	t.Helper()
	db, err := recorddb.Create(filepath.Join(t.TempDir(), "records.db"), true)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func columns(t *testing.T, db *recorddb.DB, table string) (names []string) {
	t.Helper()
	rows, err := db.SQL().Query(`SELECT name FROM pragma_table_info(?)`, table)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, names, table)
	return names
}

// one returns a single value.
func one(t *testing.T, db *recorddb.DB, query string, args ...any) any {
	t.Helper()
	var value any
	require.NoError(t, db.SQL().QueryRow(query, args...).Scan(&value), query)
	return value
}

// A record of a kind that this version does not know, a snapshot, and what was read
// again from the exact text: nothing is lost.
func TestEveryRecordIsThereAsItWas(t *testing.T) {
	dir := t.TempDir()
	clean(t, dir)
	to := plant(t, dir, func(p *planted) {
		p.added = append(p.added, &rationale.Unknown{Kind: "novelty", ID: "n-1", At: asOf, Body: json.RawMessage(`{"at":"2026-10-30T12:00:00Z","id":"n-1","kind":"novelty"}`)})
	})
	db := open(t, true, to)
	count := 0
	for e, err := range journal.Read(to) {
		require.NoError(t, err)
		count++
		var id, kind, hash string
		var r rationale.Envelope
		var body string
		require.NoError(t, db.SQL().QueryRow(`SELECT id, kind, hash, journal, seq, prev, json FROM record WHERE n = ?`, count).
			Scan(&id, &kind, &hash, &r.Journal, &r.Seq, &r.Prev, &body))
		r.Body = json.RawMessage(body)
		again, err := r.Hash()
		require.NoError(t, err)
		assert.Equal(t, []string{e.Record.RecordID(), string(e.Record.RecordKind()), e.Hash, again}, []string{id, kind, hash, e.Hash})
	}
	assert.EqualValues(t, count, one(t, db, `SELECT count(*) FROM record`))
	assert.EqualValues(t, 1, one(t, db, `SELECT count(*) FROM record WHERE kind = 'novelty'`))
	assert.NotZero(t, one(t, db, `SELECT count(*) FROM record WHERE kind = 'snapshot'`))
	assert.EqualValues(t, recorddb.Version, one(t, db, `PRAGMA user_version`))
	assert.Equal(t, "ok", one(t, db, `PRAGMA integrity_check`))
	assert.EqualValues(t, 0, one(t, open(t, false, to), `SELECT count(json) FROM record`))
}

// Documents are there with their exact bytes, and what they grant.
func TestDocumentsAreThere(t *testing.T) {
	dir := t.TempDir()
	clean(t, dir)
	db := open(t, false, dir)
	first := fleet(1, "2026-09-01T00:00:00Z", "")
	digest := rationale.Digest([]byte(first))
	assert.Equal(t, []byte(first), one(t, db, `SELECT bytes FROM document WHERE digest = ?`, digest))
	assert.Equal(t, "fleet-1.yaml Authorization, fleet-2.yaml Authorization, legacy.yaml Authorization, matrix.yaml AuthorityMatrix, revocation.yaml Revocation",
		one(t, db, `SELECT group_concat(name || ' ' || kind, ', ') FROM (SELECT name, kind FROM document WHERE kind <> 'Manifest' ORDER BY name)`))
	assert.Equal(t, "look k8s.get parameterized read, scale k8s.scale parameterized write",
		one(t, db, `SELECT group_concat(class || ' ' || tool || ' ' || tier || ' ' || effect, ', ') FROM class WHERE authorization_digest = ?`, digest))
	assert.Equal(t, "kim@example.com lee@example.com", one(t, db, `SELECT group_concat(by, ' ') FROM grantor WHERE authorization_digest = ?`, digest))
	assert.Nil(t, one(t, db, `SELECT max(problem) FROM authorization`))
	assert.Equal(t, "1000|EUR|24h0m0s", one(t, db, `SELECT DISTINCT max || '|' || currency || '|' || per FROM decision_limit`))

	bad := plant(t, dir, func(p *planted) {
		p.loads(func(l *rationale.Lifecycle) { l.Bytes = []byte("kind: Authorization\n") })
	})
	problem := one(t, open(t, false, bad), `SELECT problem FROM authorization WHERE digest = ?`, rationale.Digest([]byte("kind: Authorization\n")))
	assert.Contains(t, problem, "apiVersion")
}

// What is sealed is NULL and says so, before and after its key is destroyed.
func TestSealedFieldsAreNull(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "evidence")
	h := newHost(t, dir, day(1, 9), document("matrix.yaml", matrix), document("fleet.yaml", fleet(1, "2026-09-01T00:00:00Z", "")))
	h.onBehalfOf = "customer-7"
	h.act("k8s.scale", h.scaling(4, "5.25"), "", context.Canceled)
	h.onBehalfOf = ""
	h.act("k8s.scale", h.scaling(4, "5.25"), "", context.Canceled)
	const look = `SELECT group_concat(coalesce(d.sealed, '-') || ' ' || coalesce(d.arguments, 'null') || ' ' || coalesce(d.purpose, 'null') || ' '
		|| d.spend_amount || ' ' || coalesce(o.sealed, '-') || ' ' || coalesce(o.error, 'null'), '; ')
		FROM decision d JOIN outcome o ON o.decision = d.id`
	open2 := `; - {"cost":5.25,"replicas":4} 2 requests wait. 5.25 - context canceled`
	assert.Equal(t, `sealed null null 5.25 sealed null`+open2, one(t, open(t, false, dir), look))
	found, err := h.Erase(context.Background(), "customer-7", "dpo", "request 7")
	require.NoError(t, err)
	require.True(t, found)
	require.NoError(t, h.ledger.Close())
	assert.Equal(t, `erased null null 5.25 erased null`+open2, one(t, open(t, false, dir), look))
}

func TestParts(t *testing.T) {
	for amount, want := range map[string][2]any{
		"0": {int64(0), int64(0)}, "12.5": {int64(12), int64(500_000_000)}, "007.10": {int64(7), int64(100_000_000)},
		"999999999999999.999999999": {int64(999_999_999_999_999), int64(999_999_999)}, "1.0000000010": {int64(1), int64(1)},
		"1000000000000000": {}, "0.0000000001": {}, "": {}, ".5": {}, "5.": {}, "-1": {}, "1e3": {}, "1.5.5": {}, "٣": {}, "1,5": {},
	} {
		whole, nano := recorddb.Parts(amount)
		assert.Equal(t, want, [2]any{whole, nano}, amount)
	}
}

// People are the same as for the ledger.
func TestSame(t *testing.T) {
	ids := []string{"dana@example.com", "DANA@example.com", "Åsa", "åSA", "\u212aim", "kim", "ſam", "sam", "ß", "ss", ""}
	for _, a := range ids {
		for _, b := range ids {
			assert.Equal(t, rationale.SamePerson(a, b) || a == "" && b == "", recorddb.Same(a) == recorddb.Same(b), "%s %s", a, b)
		}
	}
}

// What loading keeps in memory does not grow with the records.
func TestLoadingTakesNoMemory(t *testing.T) {
	dir := t.TempDir()
	clean(t, dir)
	p := &planted{t: t}
	for e, err := range journal.Read(dir) {
		require.NoError(t, err)
		p.records = append(p.records, e.Record)
	}
	db := database(t)
	seq := uint64(0)
	load := func(n int) uint64 {
		for i := range n {
			p.added = nil
			d := p.like("scale", 1, day(21, 12).Add(time.Duration(i)))
			d.Agent.OnBehalfOf, d.Checks, d.Limits = fmt.Sprint("customer-", seq), nil, nil
			p.ran(d)
			for _, rec := range p.added {
				seq++
				require.NoError(t, db.Add(entry(t, rec, seq), nil))
			}
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := load(4200) // more people than are remembered
	after := load(4200)
	assert.Less(t, after, before+1<<20)
	assert.LessOrEqual(t, db.Known(), 4096)
}
