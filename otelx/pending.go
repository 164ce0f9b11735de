package otelx

import (
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// maxPending bounds what is pending, over all shards.
const maxPending = 1 << 14

// decided is what the span of an execution needs of its decision's.
type decided struct {
	span     trace.SpanContext
	document *trace.SpanContext // nil: not known
	on       *grounds
}

// pending remembers the decisions whose execution is to link to them, in shards,
// so that calls do not wait for each other. A shard at its bound forgets all it has: the cost is a missing link. The zero pending is empty.
type pending [16]struct {
	mu sync.Mutex
	by map[string]decided // by the decision's id
	_  [48]byte           // a cache line for each
}

func (p *pending) put(id string, d decided) {
	s := &p[shard(id)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil || len(s.by) >= maxPending/len(p) {
		s.by = make(map[string]decided)
	}
	s.by[id] = d
}

// take returns what is remembered of a decision, and forgets it.
func (p *pending) take(id string) decided {
	s := &p[shard(id)]
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.by[id]
	delete(s.by, id)
	return d
}

// shard spreads ids by their last character, which is a random hexadecimal
// digit.
func shard(id string) int {
	if id == "" {
		return 0
	}
	c := id[len(id)-1]
	return int(c&0xf+9*(c>>6)) % len(pending{})
}
