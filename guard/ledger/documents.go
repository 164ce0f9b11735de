package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// documents are the lifecycle records of what hosts have in force, by what they are
// about. Nothing of them decides here.
type documents struct {
	loaded map[documentKey]document
	n      int // how often anything was loaded
}

type documentKey struct {
	agent, environment, document, digest string
	event                                rationale.Event
}

type document struct {
	*rationale.Lifecycle
	n int // of several versions, which replicas may run side by side, the latest has the highest
}

func (d *documents) apply(l *rationale.Lifecycle) {
	key := documentKey{l.Agent.ID, l.Agent.Environment, l.Document, l.Digest, l.Event}
	switch {
	case l.Event == rationale.EventOpened:
		*d = documents{} // the process before has ended; the next says what it loads
	case l.Event == rationale.EventManifest:
		key.digest = "" // the latest
		d.load(key, l)
	case l.Bytes != nil && (l.Event == rationale.EventLoaded || l.Event == rationale.EventRevoked || l.Event == rationale.EventSuspended):
		d.load(key, l)
	case l.Event == rationale.EventUnloaded:
		maps.DeleteFunc(d.loaded, func(k documentKey, _ document) bool {
			return k.agent == key.agent && k.environment == key.environment && k.document == key.document && k.digest == key.digest
		})
	}
}

func (d *documents) load(key documentKey, l *rationale.Lifecycle) {
	if d.loaded == nil {
		d.loaded = make(map[documentKey]document)
	}
	d.n++
	d.loaded[key] = document{l, d.n}
}

// list returns the records in the order in which they came.
func (d *documents) list() []*rationale.Lifecycle {
	ordered := slices.SortedFunc(maps.Values(d.loaded), func(a, b document) int { return cmp.Compare(a.n, b.n) })
	all := make([]*rationale.Lifecycle, len(ordered))
	for i, one := range ordered {
		all[i] = one.Lifecycle
	}
	return all
}

// again returns the records once more, as they are, with ids and a time of their
// own.
func (d *documents) again(now time.Time) []rationale.Record {
	all := d.list()
	recs := make([]rationale.Record, len(all))
	for i, loaded := range all {
		l := *loaded
		l.ID, l.At, l.Message = rationale.NewID(now), now, "in force when this segment of the journal begins"
		recs[i] = &l
	}
	return recs
}

// Documents returns the lifecycle records of the documents and manifests that hosts
// have loaded, and not unloaded since, the latest last. Those of a host whose journal
// was opened again since are not among them. What they refer to is shared and must not
// be changed.
func (m *Memory) Documents() []*rationale.Lifecycle {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.documents.list()
}
