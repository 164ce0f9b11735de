package guard_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

func TestDocumentsAndManifestAreOnRecordBeforeADecision(t *testing.T) {
	doc := grantDocument("fleet", scaleClass(""))
	key, signature := sign(t, doc.Data)
	doc.Signature = signature
	s := open(t, []authority.Document{doc}, guard.WithKeys(key))
	loaded := s.recorder.Lifecycles(rationale.EventLoaded)
	require.Len(t, loaded, 1)
	assert.Equal(t, doc.Data, loaded[0].Bytes, "the exact bytes")
	assert.Equal(t, doc.Signature, loaded[0].Signature)
	assert.Equal(t, rationale.Digest(doc.Data), loaded[0].Digest)
	assert.Equal(t, guardtest.AgentID, loaded[0].Agent.ID)
	assert.Equal(t, guardtest.Now(), loaded[0].At)

	manifests := s.recorder.Lifecycles(rationale.EventManifest)
	require.NotEmpty(t, manifests)
	m, err := authority.ParseManifest("manifest.yaml", manifests[len(manifests)-1].Bytes)
	require.NoError(t, err)
	require.Len(t, m.Tools, 1)
	assert.Equal(t, "fleet.scale", m.Tools[0].Name)
	assert.Len(t, s.tracer.Told().Changed, len(s.recorder.Records()))

	before := len(s.recorder.Records())
	require.NoError(t, s.Reload([]authority.Document{doc}))
	require.NoError(t, s.Register(guardtest.Scale()))
	assert.Len(t, s.recorder.Records(), before, "nothing changed")
}

// sign returns a new public key and a DSSE envelope that it signed.
func sign(t *testing.T, data []byte) (ed25519.PublicKey, []byte) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	message := fmt.Sprintf("DSSEv1 %d %s %d %s", len(authority.PayloadType), authority.PayloadType, len(data), data)
	envelope, err := json.Marshal(map[string]any{
		"payloadType": authority.PayloadType, "payload": data,
		"signatures": []map[string]any{{"keyid": "k", "sig": ed25519.Sign(private, []byte(message))}},
	})
	require.NoError(t, err)
	return public, envelope
}

func TestUnsignedDocumentsDenyUnlessTheHostAllowsThem(t *testing.T) {
	agent := guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment}
	doc := grantDocument("fleet", scaleClass(""))
	signed := doc
	var key ed25519.PublicKey
	key, signed.Signature = sign(t, doc.Data)
	clock := guard.WithClock(guardtest.NewClock(guardtest.Now()).Now)
	for name, c := range map[string]struct {
		doc    authority.Document
		opt    guard.Option
		reason []rationale.Reason
	}{
		"unsigned":                    {doc, nil, []rationale.Reason{rationale.Unsigned}},
		"unsigned, and that is fine":  {doc, guard.AllowUnsigned(), nil},
		"signed by a trusted key":     {signed, guard.WithKeys(key), nil},
		"signed, but no key is known": {signed, nil, []rationale.Reason{rationale.Unsigned}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := guard.New([]authority.Document{c.doc}, agent, guard.WithoutEvidence(), clock, c.opt)
			require.NoError(t, err)
			require.NoError(t, g.Register(guardtest.Scale()))
			_, d := g.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":1}`)})
			assert.Equal(t, c.reason, d.Record().Reasons)
			assert.Equal(t, c.reason == nil, d.Allowed())
		})
	}
}

// A signature that comes after its document is evidence as well: what is decided from
// then on rests on it.
func TestASignatureThatComesLaterIsRecorded(t *testing.T) {
	doc := grantDocument("fleet", scaleClass(""))
	signed := doc
	var key ed25519.PublicKey
	key, signed.Signature = sign(t, doc.Data)
	recorder := &guardtest.Recorder{}
	l := ledger.New(recorder)
	g, err := guard.New([]authority.Document{doc}, guard.Agent{ID: guardtest.AgentID, Environment: guardtest.Environment},
		guard.WithLedger(l), guard.WithKeys(key), guard.WithClock(guardtest.Now))
	require.NoError(t, err)
	require.NoError(t, g.Register(guardtest.Scale()))
	assert.Empty(t, l.Past(guardtest.AgentID, guardtest.Environment), "it was not in force")

	for range 2 {
		require.NoError(t, g.Reload([]authority.Document{signed}))
	}
	_, d := g.Begin(t.Context(), guard.Call{Tool: scaleID, Arguments: []byte(`{"replicas":1}`)})
	require.True(t, d.Allowed())
	loaded := recorder.Lifecycles(rationale.EventLoaded)
	require.Len(t, loaded, 2)
	assert.Equal(t, rationale.StandingUnsigned, loaded[0].Standing)
	assert.Equal(t, rationale.StandingActive, loaded[1].Standing)
	assert.Equal(t, signed.Signature, loaded[1].Signature)
	assert.Empty(t, recorder.Lifecycles(rationale.EventUnloaded))
	assert.Equal(t, signed.Signature, l.Documents()[len(l.Documents())-1].Signature)
	past := l.Past(guardtest.AgentID, guardtest.Environment)
	require.Len(t, past, 1, "the next start takes no version before it")
	assert.Equal(t, 1, past[0].Authorization.Version)

	require.NoError(t, g.Reload([]authority.Document{doc}))
	loaded = recorder.Lifecycles(rationale.EventLoaded)
	require.Len(t, loaded, 3)
	assert.Equal(t, rationale.StandingUnsigned, loaded[2].Standing, "nor is it lost without a word")
}

func TestReloadRecordsWhatChanged(t *testing.T) {
	kept, gone := grantDocument("fleet", scaleClass("")), grantDocument("other", "  - {id: x, tools: [x], tier: prohibited}\n")
	s := open(t, []authority.Document{kept, gone})
	next := grantDocument("third", "  - {id: y, tools: [y], tier: prohibited}\n")
	require.NoError(t, s.Reload([]authority.Document{kept, next}))
	loaded := s.recorder.Lifecycles(rationale.EventLoaded)
	require.Len(t, loaded, 3)
	assert.Equal(t, "third.yaml", loaded[2].Document)
	unloaded := s.recorder.Lifecycles(rationale.EventUnloaded)
	require.Len(t, unloaded, 1)
	assert.Equal(t, "other.yaml", unloaded[0].Document)
	assert.Equal(t, "other", unloaded[0].Authorization.ID)
}

func TestAFailedDocumentHoldsUpNoRevocation(t *testing.T) {
	fleet := grantDocument("fleet", scaleClass(""))
	other := grantDocument("other", "  - {id: x, tools: [x], tier: prohibited}\n")
	s := open(t, []authority.Document{fleet, other})
	require.True(t, s.decide(t, "1").Allowed())

	broken := authority.Document{Name: other.Name, Data: []byte("kind: Authorisation\n")}
	s.clock.Set(time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC))
	err := s.Reload([]authority.Document{fleet, broken, halt("Revocation", "fleet")})
	assert.ErrorContains(t, err, "other.yaml:")
	assert.Contains(t, refused(t, s.decide(t, "1")), rationale.Revoked)

	failed := s.recorder.Lifecycles(rationale.EventRefused)
	require.Len(t, failed, 1)
	assert.Equal(t, broken.Data, failed[0].Bytes)
	assert.Contains(t, failed[0].Message, "other.yaml:")
	assert.Empty(t, s.recorder.Lifecycles(rationale.EventUnloaded), "the former content stays")
	assert.NotEmpty(t, s.recorder.Lifecycles(rationale.EventRevoked))
}

func TestWithoutEvidenceCallsAreDeniedAndCounted(t *testing.T) {
	s := under(t, "")
	require.True(t, s.decide(t, "1").Allowed())
	s.recorder.Fail(errors.New("disk full"))
	for range 3 {
		s.clock.Advance(time.Second)
		d := s.decide(t, "1")
		assert.Equal(t, []rationale.Reason{rationale.EvidenceUnavailable}, refused(t, d))
		assert.NotContains(t, string(d.Refusal()), "disk full")
	}
	s.recorder.Fail(nil)
	s.clock.Advance(time.Second)
	require.True(t, s.decide(t, "1").Allowed())
	require.True(t, s.decide(t, "1").Allowed())

	restored := s.recorder.Lifecycles(rationale.EventEvidence)
	require.Len(t, restored, 1)
	assert.EqualValues(t, 3, restored[0].Denied)
	assert.Equal(t, guardtest.Now().Add(time.Second), restored[0].From)
	assert.Equal(t, guardtest.Now().Add(3*time.Second), restored[0].Until)
	assert.Len(t, s.recorder.Decisions(), 3)
	assert.Len(t, s.tracer.Told().Decided, 6, "the tracer saw the denials")
}

func TestEveryDenialWithoutEvidenceIsCountedOnce(t *testing.T) {
	s := under(t, "")
	s.recorder.Fail(errors.New("disk full"))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				_, d := s.begin(context.Background(), "1")
				assert.False(t, d.Allowed())
			}
		})
	}
	group.Wait()
	s.recorder.Fail(nil)
	for range 4 {
		group.Go(func() {
			_, d := s.begin(context.Background(), "1")
			assert.True(t, d.Allowed())
		})
	}
	group.Wait()
	var denied int64
	for _, l := range s.recorder.Lifecycles(rationale.EventEvidence) {
		denied += l.Denied
	}
	assert.EqualValues(t, 80, denied)
	assert.Len(t, s.recorder.Decisions(), 4)
}

func TestUnrecordedReloadDeniesUntilItIsRecorded(t *testing.T) {
	s := under(t, "")
	s.recorder.Fail(errors.New("disk full"))
	next := grantDocument("fleet", scaleClass(`, bounds: [{expr: "args.replicas <= 1"}]`))
	assert.ErrorContains(t, s.Reload([]authority.Document{next}), "disk full")
	assert.Contains(t, refused(t, s.decide(t, "1")), rationale.EvidenceUnavailable)

	s.recorder.Fail(nil)
	assert.Equal(t, []rationale.Reason{rationale.BoundViolated}, refused(t, s.decide(t, "2")), "the reload took effect")
	loaded := s.recorder.Lifecycles(rationale.EventLoaded)
	require.Len(t, loaded, 2)
	assert.Equal(t, next.Data, loaded[1].Bytes)
	require.Len(t, s.recorder.Decisions(), 1)
	recs := s.recorder.Records()
	assert.Equal(t, rationale.KindDecision, recs[len(recs)-1].RecordKind(), "after the document that it rests on")
}

func TestLapseIsRecordedOnce(t *testing.T) {
	s := under(t, "")
	require.True(t, s.decide(t, "1").Allowed())
	s.clock.Set(time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)) // past the 30 days
	for range 3 {
		assert.Equal(t, []rationale.Reason{rationale.ReviewLapsed}, refused(t, s.decide(t, "1")))
	}
	lapsed := s.recorder.Lifecycles(rationale.EventLapsed)
	require.Len(t, lapsed, 1)
	assert.Equal(t, rationale.StandingReviewLapsed, lapsed[0].Standing)
	assert.Equal(t, "fleet", lapsed[0].Authorization.ID)

	s.clock.Set(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC))
	assert.Contains(t, refused(t, s.decide(t, "1")), rationale.Expired)
	assert.Len(t, s.recorder.Lifecycles(rationale.EventLapsed), 2, "another change")
}

// recordless is a ledger that admits, and whose lifecycle records can fail.
type recordless struct {
	guard.Ledger
	fails bool
}

func (r *recordless) Record(ctx context.Context, recs ...rationale.Record) error {
	if r.fails {
		return errors.New("disk full")
	}
	return r.Ledger.Record(ctx, recs...)
}

func TestLapseThatWasNotRecordedIsNoticedAgain(t *testing.T) {
	var recorder guardtest.Recorder
	l := &recordless{Ledger: ledger.New(&recorder)}
	s := under(t, "", guard.WithLedger(l))
	s.clock.Set(time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC))
	l.fails = true
	s.decide(t, "1")
	assert.Empty(t, recorder.Lifecycles(rationale.EventLapsed))
	l.fails = false
	s.decide(t, "1")
	s.decide(t, "1")
	assert.Len(t, recorder.Lifecycles(rationale.EventLapsed), 1)
	assert.Len(t, recorder.Decisions(), 3)
}

func TestNoDecisionUnderADocumentThatIsNotOnRecord(t *testing.T) {
	var recorder guardtest.Recorder
	l := &recordless{Ledger: ledger.New(&recorder)}
	s := under(t, "", guard.WithLedger(l))
	l.fails = true
	require.Error(t, s.Reload([]authority.Document{grantDocument("fleet", scaleClass(", fallback: none"))}))
	assert.Equal(t, []rationale.Reason{rationale.EvidenceUnavailable}, refused(t, s.decide(t, "1")))
	assert.Empty(t, recorder.Decisions())
}

func TestPinMismatchIsRecordedOnce(t *testing.T) {
	doc := grantDocument("fleet", scaleClass(""))
	doc.Data = append([]byte("pins: {tools: [{name: fleet.scale, digest: "+
		"'sha256:0000000000000000000000000000000000000000000000000000000000000000'}]}\n"), doc.Data...)
	s := open(t, []authority.Document{doc})
	for range 3 {
		assert.Equal(t, []rationale.Reason{rationale.PinMismatch}, refused(t, s.decide(t, "1")))
	}
	pins := s.recorder.Lifecycles(rationale.EventPin)
	require.Len(t, pins, 1)
	assert.Contains(t, pins[0].Message, "fleet.scale")
	assert.Empty(t, s.recorder.Lifecycles(rationale.EventLapsed))
}

func TestRegister(t *testing.T) {
	docs := []authority.Document{grantDocument("fleet",
		scaleClass("")+"  - {id: other, tools: [other.tool], tier: parameterized, bounds: [{expr: 'args.missing > 1'}]}\n")}
	s := open(t, docs)
	good := authority.Tool{Name: "fleet.read"}
	err := s.Register(authority.Tool{Name: "other.tool"}, good)
	assert.ErrorContains(t, err, "fleet.yaml:11:81: args has no \"missing\"")
	var names []string
	for _, tool := range s.Manifest().Tools {
		names = append(names, tool.Name)
	}
	assert.Equal(t, []string{"fleet.read", "fleet.scale"}, names, "the bad one does not hold up the others")
	assert.True(t, s.decide(t, "1").Allowed())

	changed := guardtest.Scale()
	changed.Description = "Scales the fleet, and deletes it."
	assert.Error(t, s.Register(changed), "another definition of a known tool")
	assert.NoError(t, s.Register(guardtest.Scale()), "the same one")
	assert.Len(t, s.Manifest().Tools, 2)
}

func TestManifestIsACopy(t *testing.T) {
	s := under(t, "", guard.WithFacts(fact("b", true), fact("a", true)))
	m := s.Manifest()
	assert.Equal(t, "a", m.Facts[0].Name, "sorted")
	m.Tools[0].Name, m.Facts[0].Name = "changed", "changed"
	assert.Equal(t, "fleet.scale", s.Manifest().Tools[0].Name)
	assert.Equal(t, "a", s.Manifest().Facts[0].Name)
}

func TestSchema(t *testing.T) {
	docs := []authority.Document{grantDocument("fleet",
		scaleClass("")+"  - {id: read, tools: [fleet.read], tier: parameterized, effect: read}\n")}
	s := open(t, docs)
	require.NoError(t, s.Register(authority.Tool{Name: "fleet.read", Schema: json.RawMessage(`{"type":"object"}`)}))
	schema, err := s.Schema(scaleID)
	require.NoError(t, err)
	assert.Contains(t, string(schema), `"_rationale"`)
	schema, err = s.Schema(authority.Tool{Name: "fleet.read"}.ID())
	require.NoError(t, err)
	assert.Equal(t, `{"type":"object"}`, string(schema))
	_, err = s.Schema(authority.Tool{Name: "unknown"}.ID())
	assert.Error(t, err)
}

// A file's name that is not text must not keep every decision from the records.
func TestADocumentOfAnyNameIsRecorded(t *testing.T) {
	doc := grantDocument("fleet", scaleClass(""))
	doc.Name = "\xff.yaml"
	s := open(t, []authority.Document{doc})
	loaded := s.recorder.Lifecycles(rationale.EventLoaded)
	require.Len(t, loaded, 1)
	_, err := rationale.Marshal(loaded[0])
	require.NoError(t, err)
	assert.True(t, s.decide(t, "1").Allowed())
}
