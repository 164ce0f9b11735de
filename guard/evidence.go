package guard

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// evidence keeps what must be in the ledger before the next decision: which
// documents are in force, what the host runs, and how many calls were denied
// while the ledger could not record.
type evidence struct {
	guard *Guard
	// writing is held while lifecycle records are written. It is a channel
	// because who waits for it has a deadline.
	writing chan struct{}
	known   map[lifecycleKey]*rationale.Lifecycle // on record as loaded; guarded by writing
	told    string                                // digest of the manifest on record; guarded by writing
	// settled is the policy of which everything is on record, as is what happened
	// until then; nil while anything is due. It is stored under mu.
	settled atomic.Pointer[policy]

	mu      sync.Mutex
	refused []*rationale.Lifecycle // by the latest reload, not yet on record
	gap     gap
}

// gap counts the calls that were denied without a record.
type gap struct {
	denied      int64
	from, until time.Time
}

// lifecycleKey identifies a document by what it says and the event that it is.
type lifecycleKey struct {
	document, digest string
	event            rationale.Event
}

func newEvidence(g *Guard) *evidence {
	return &evidence{guard: g, writing: make(chan struct{}, 1), known: make(map[lifecycleKey]*rationale.Lifecycle)}
}

// missed counts a call that was denied without a record.
func (e *evidence) missed(at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.gap.denied == 0 || at.Before(e.gap.from) {
		e.gap.from = at
	}
	if at.After(e.gap.until) {
		e.gap.until = at
	}
	e.gap.denied++
	e.settled.Store(nil)
}

// refuse notes the documents that the latest reload did not accept.
func (e *evidence) refuse(docs []authority.Document, err error) {
	messages := make(map[string]string)
	var failed authority.Errors
	if errors.As(err, &failed) {
		for _, f := range failed {
			if _, ok := messages[f.File]; !ok {
				messages[f.File] = errorText(f)
			}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused = nil
	e.settled.Store(nil)
	for _, d := range docs {
		if message, ok := messages[d.Name]; ok {
			e.refused = append(e.refused, &rationale.Lifecycle{
				Event: rationale.EventRefused, Document: d.Name, Digest: rationale.Digest(d.Data),
				Bytes: d.Data, Signature: d.Signature, Message: message,
			})
		}
	}
}

// recordChanges puts on record what changed, now.
func (g *Guard) recordChanges() error {
	if err := g.evidence.settle(context.Background(), g.policy.Load()); err != nil {
		return &Error{Code: CodeEvidence, Message: "the documents in force could not be recorded", Err: err}
	}
	return nil
}

// settle puts on record what a decision under the current documents rests on.
// With nothing to record it costs an atomic load.
func (e *evidence) settle(ctx context.Context, now *policy) error {
	if e.settled.Load() == now {
		return nil
	}
	return e.catchUp(ctx)
}

// catchUp waits for its turn, and writes what is due then.
func (e *evidence) catchUp(caller context.Context) error {
	ctx := newStep(caller)
	defer ctx.end()
	select {
	case e.writing <- struct{}{}:
		defer func() { <-e.writing }()
	case <-ctx.Done():
		return fmt.Errorf("waiting for the ledger: %w", context.Cause(ctx))
	}
	if e.settled.Load() == e.guard.policy.Load() {
		return nil // who held the lock has done it
	}
	return protect("recording the documents", func() error { return e.write(ctx) })
}

// write records everything that is due, in one step, and then forgets it.
func (e *evidence) write(ctx context.Context) error {
	in, now := e.guard.policy.Load(), e.guard.clock.latest()
	loaded, due := e.documents(in.set.Lifecycle(now))
	told := e.manifest(in.manifest, &due)
	e.mu.Lock()
	refused, gap := e.refused, e.gap
	e.mu.Unlock()
	due = append(due, refused...)
	if gap.denied > 0 {
		due = append(due, &rationale.Lifecycle{
			Event: rationale.EventEvidence, Denied: gap.denied, From: gap.from, Until: gap.until,
			Message: "calls were denied because no decision could be recorded",
		})
	}
	if err := e.guard.record(ctx, now, due); err != nil {
		return err
	}
	e.known, e.told = loaded, told
	e.forget(in, refused, gap)
	return nil
}

// documents returns what is loaded now, and what of it is not on record yet, not
// with its signature, or on record and no longer loaded.
func (e *evidence) documents(now []*rationale.Lifecycle) (map[lifecycleKey]*rationale.Lifecycle, []*rationale.Lifecycle) {
	var due []*rationale.Lifecycle
	loaded := make(map[lifecycleKey]*rationale.Lifecycle, len(now))
	for _, l := range now {
		key := lifecycleKey{l.Document, l.Digest, l.Event}
		loaded[key] = l
		if was, ok := e.known[key]; !ok || !signedAlike(was, l) {
			due = append(due, l)
		}
	}
	var gone []lifecycleKey
	for key := range e.known {
		if _, ok := loaded[key]; !ok {
			gone = append(gone, key)
		}
	}
	slices.SortFunc(gone, func(a, b lifecycleKey) int {
		return cmp.Or(cmp.Compare(a.document, b.document), cmp.Compare(a.digest, b.digest), cmp.Compare(a.event, b.event))
	})
	for _, key := range gone {
		due = append(due, &rationale.Lifecycle{
			Event: rationale.EventUnloaded, Document: key.document, Digest: key.digest, Authorization: e.known[key].Authorization,
		})
	}
	return loaded, due
}

// signedAlike reports whether two records of a document say the same of its
// signature, and of what that is worth.
func signedAlike(a, b *rationale.Lifecycle) bool {
	return bytes.Equal(a.Signature, b.Signature) &&
		(a.Authorization == nil || a.Authorization.Unsigned == b.Authorization.Unsigned)
}

// manifest adds what the host runs to due, unless that is on record, and
// returns its digest.
func (e *evidence) manifest(m *authority.Manifest, due *[]*rationale.Lifecycle) string {
	data := m.YAML()
	digest := rationale.Digest(data)
	if digest != e.told {
		*due = append(*due, &rationale.Lifecycle{Event: rationale.EventManifest, Digest: digest, Bytes: data})
	}
	return digest
}

// forget drops what has been recorded, which was all of a policy and of what is
// given. What came meanwhile stays due.
func (e *evidence) forget(in *policy, refused []*rationale.Lifecycle, recorded gap) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(refused) > 0 && len(e.refused) > 0 && refused[0] == e.refused[0] {
		e.refused = nil
	}
	if recorded.denied > 0 {
		e.gap.denied -= recorded.denied
		e.gap.from = recorded.until
	}
	if e.gap.denied == 0 {
		e.gap = gap{}
	}
	if e.gap.denied == 0 && len(e.refused) == 0 {
		e.settled.Store(in)
	}
}

// record gives lifecycle records their identity, records them together, and
// tells the tracer. Ctx is that of a step.
func (g *Guard) record(ctx context.Context, now time.Time, due []*rationale.Lifecycle) error {
	if len(due) == 0 {
		return nil
	}
	recs := make([]rationale.Record, len(due))
	for i, l := range due {
		l.Kind, l.ID, l.At = rationale.KindLifecycle, rationale.NewID(now), now
		l.Agent = rationale.Agent{ID: g.agent.ID, Environment: g.agent.Environment}
		l.Document = strings.ToValidUTF8(l.Document, "\uFFFD") // a file's name can be any bytes
		recs[i] = l
	}
	if g.ledger != nil {
		if err := protect("the ledger", func() error { return g.ledger.Record(ctx, recs...) }); err != nil {
			return err
		}
	}
	for _, l := range due {
		g.tracer.changed(ctx, l)
	}
	return nil
}
