package guard

import (
	"bytes"
	"crypto/ed25519"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// Option changes how a [Guard] works. The nil Option changes nothing.
type Option func(*config)

type config struct {
	ledger     Ledger
	noEvidence bool
	tracer     Tracer
	facts      []Fact
	derived    []Derived
	estimators []Estimator
	costs      []Cost
	lease      time.Duration
	recordKeys []rationale.RecordKey
	erasable   *erasable
	now        func() time.Time
	authority  []authority.Option
	shadow     bool

	notifications func(rationale.Notification)
}

// WithLedger names the ledger that admits and records every call. Either this
// or [WithoutEvidence] is required.
func WithLedger(l Ledger) Option {
	return func(c *config) { c.ledger = l }
}

// WithoutEvidence lets a guard run that records nowhere: decisions are enforced
// and handed to the tracer, and forgotten. Nobody can show afterwards what was
// decided, on whose authority, or that anything was decided at all; nothing
// survives a restart. It is for tests and first steps.
func WithoutEvidence() Option {
	return func(c *config) { c.noEvidence = true }
}

// WithTracer names the tracer that is told of every decision and outcome.
func WithTracer(t Tracer) Option {
	return func(c *config) { c.tracer = t }
}

// WithFacts adds facts that the host can supply. Names must be distinct.
func WithFacts(facts ...Fact) Option {
	return func(c *config) { c.facts = append(c.facts, facts...) }
}

// WithDerived adds values that the host derives from the arguments of a tool.
// Names must be distinct for each tool.
func WithDerived(derived ...Derived) Option {
	return func(c *config) { c.derived = append(c.derived, derived...) }
}

// WithEstimators adds functions that price a call. Names must be distinct.
func WithEstimators(estimators ...Estimator) Option {
	return func(c *config) { c.estimators = append(c.estimators, estimators...) }
}

// WithCosts adds functions that read from a tool's result what a call cost. There
// is at most one for each tool.
func WithCosts(costs ...Cost) Option {
	return func(c *config) { c.costs = append(c.costs, costs...) }
}

// WithLease says how long the outcome of a call may take that takes of a limit over
// time; the default is [rationale.DefaultLease], 15 minutes. What an outcome that
// comes later took stays taken, in every window, until somebody settles it. It must
// be longer than the slowest tool takes.
func WithLease(d time.Duration) Option {
	return func(c *config) { c.lease = d }
}

// WithRecordKeys gives the secrets for record: hmac. The last one makes the
// keyed digests of new records; the ones before it are those of older records,
// and are listed in the manifest. To rotate, add a key at the end, with a name of
// its own. A document that asks for hmac does not load without a key.
//
// Where arguments are not kept, the digest of the action is keyed as well, and
// an approval is bound to it: after a rotation, and between replicas with other
// keys, an approval that was not used yet counts for nothing. Without keys a
// class with record: {arguments: drop} has a random one for as long as the guard
// lives. A key that [rationale.RecordKey.Validate] refuses, and two with one
// name, are errors of [New].
func WithRecordKeys(keys ...rationale.RecordKey) Option {
	return func(c *config) {
		for _, k := range keys {
			k.Secret = bytes.Clone(k.Secret)
			c.recordKeys = append(c.recordKeys, k)
		}
	}
}

// WithErasure seals the payload of each record with a key of the person whom it
// is about, so that [Guard.Erase] can erase what all copies of the records say of
// that person, and leave the records verifiable. See [rationale.Decision.Seal]
// for what is sealed, and what remains: agent, tool, class, verdict, amount and
// the identity that the session names.
//
// The person is whom subject names, from the checked call; it must be quick and
// safe for concurrent use, and name only persons that there are, since each gets
// a key. Where it is nil, or returns "", it is
// [Session.OnBehalfOf], and where that is empty too the record is sealed for
// nobody and stays plain. Of a call whose arguments cannot be read subject is not
// asked, and its payload is left out unless the session names somebody.
//
// What is sealed is in no telemetry, whatever the class says: nobody can erase it
// there. A call whose key cannot be had is denied with evidence_unavailable.
func WithErasure(keys SubjectKeys, subject func(Checked) string) Option {
	return func(c *config) { c.erasable = &erasable{keys, subject} }
}

// WithClock replaces time.Now as the guard's clock. It must be safe for
// concurrent use. The guard never lets time go backwards, whatever the clock
// says: an earlier reading counts as the latest one seen, so that nothing that
// has expired is in force again. A time before 1677 counts as no reading, and
// one after 2262 as the end of time. A clock that panics denies.
func WithClock(now func() time.Time) Option {
	return func(c *config) { c.now = now }
}

// AllowUnsigned lets documents without a valid signature be in force. Every
// decision under one says that it is unsigned. Without it they deny.
func AllowUnsigned() Option {
	return func(c *config) { c.authority = append(c.authority, authority.AllowUnsigned()) }
}

// WithKeys gives the public keys whose signatures under documents count.
func WithKeys(keys ...ed25519.PublicKey) Option {
	return func(c *config) { c.authority = append(c.authority, authority.TrustKeys(keys...)) }
}

// WithReferenceCEL evaluates every rule with cel-go, the reference
// implementation of CEL, and none natively: for finding out whether the native
// evaluation is at fault. A simple expression takes some thirty times as long
// then, as docs/performance.md measures.
func WithReferenceCEL() Option {
	return func(c *config) { c.authority = append(c.authority, authority.WithReferenceCEL()) }
}

// WithShadow compares the native evaluation of rules with that of cel-go, in
// that share of the calls (0 to 1), which are picked at random. Where the two
// differ, the call is denied, and its record says on which rule and how.
// [Guard.Disagreements] counts, and a [ShadowTracer] publishes. It cannot be
// combined with [WithReferenceCEL].
func WithShadow(rate float64) Option {
	return func(c *config) {
		c.authority = append(c.authority, authority.WithShadow(rate))
		c.shadow = rate > 0
	}
}
