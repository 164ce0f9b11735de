package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
)

// maxKept bounds how many values of one fact are kept.
const maxKept = 1024

// factSource fetches one fact and keeps its values for as long as they serve.
type factSource struct {
	fact  Fact
	slots chan struct{}

	mu      sync.Mutex
	kept    map[factKey]keptFact
	flights map[factKey]*flight
}

// factKey tells the values of a fact apart. A function may look at the session
// and the person of a call, so one session's value never serves another.
type factKey struct {
	session sessionID
	by      string
}

type keptFact struct {
	value any
	at    time.Time
}

type estimatorSource struct {
	estimator Estimator
	slots     chan struct{}
}

type derivedKey struct{ tool, name string }

// ask fetches what the class of a call needs, all at once.
func (g *Guard) ask(
	ctx context.Context, c *authority.Classified, checked Checked, at time.Time,
) (map[string]authority.FactValue, *authority.Estimate) {
	requests, name := c.Facts(), c.Estimator()
	if len(requests) == 0 && name == "" {
		return nil, nil
	}
	facts := make(map[string]authority.FactValue, len(requests))
	waits := make([]func() authority.FactValue, len(requests))
	for i, r := range requests {
		waits[i] = g.facts[r.Name].start(ctx, r, checked, at)
	}
	estimate := g.estimators[name].start(ctx, checked, at)
	for i, r := range requests {
		facts[r.Name] = waits[i]()
	}
	if name == "" {
		return facts, nil
	}
	return facts, estimate()
}

// start begins to fetch the fact, and returns the function that waits for it.
func (s *factSource) start(
	ctx context.Context, r authority.FactRequest, checked Checked, at time.Time,
) func() authority.FactValue {
	if s == nil {
		return func() authority.FactValue {
			return authority.FactValue{Err: errors.New("the host has no such fact")}
		}
	}
	f := s.fetch(ctx, r, checked, at)
	deadline := time.NewTimer(s.fact.timeout)
	return func() authority.FactValue {
		defer deadline.Stop()
		value, err := f.wait(ctx, s.fact.timeout, deadline.C)
		if err != nil {
			return authority.FactValue{Err: err}
		}
		return authority.FactValue{Value: value, At: f.at}
	}
}

func (s *factSource) fetch(ctx context.Context, r authority.FactRequest, checked Checked, at time.Time) *flight {
	checked.Arguments = bytes.Clone(checked.Arguments)
	fetch := func(ctx context.Context) (any, error) { return s.fact.fetch(ctx, checked) }
	maxAge := s.fact.spec.MaxAge
	if maxAge <= 0 {
		// Each call its own: a fetch that began before another call acted must
		// not answer for the state after it.
		return launch(ctx, s.slots, at, s.fact.timeout, fetch, nil)
	}
	key := factKey{sessionID{checked.Agent.Session, checked.Agent.OnBehalfOf}, r.Key}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.kept[key]; ok && at.Sub(k.at) <= maxAge {
		return landedFlight(k.at, k.value, nil)
	}
	if f, ok := s.flights[key]; ok {
		return f
	}
	// Others may wait for this one, so no single caller's cancellation ends it.
	f := launch(context.WithoutCancel(ctx), s.slots, at, s.fact.timeout, fetch, func(f *flight) { s.land(key, f) })
	select {
	case <-f.done: // it never took off
	default:
		s.flights[key] = f
	}
	return f
}

// land keeps what a flight brought. It takes the lock that fetch holds while it
// launches, so it cannot run before the flight is listed.
func (s *factSource) land(key factKey, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flights, key)
	if f.err != nil {
		return
	}
	if len(s.kept) >= maxKept {
		s.evict(f.at)
	}
	s.kept[key] = keptFact{f.value, f.at}
}

// evict drops what is stale, and where nothing is, any one value.
func (s *factSource) evict(now time.Time) {
	for key, k := range s.kept {
		if now.Sub(k.at) > s.fact.spec.MaxAge {
			delete(s.kept, key)
		}
	}
	for key := range s.kept {
		if len(s.kept) < maxKept {
			return
		}
		delete(s.kept, key)
	}
}

// start begins to price the call, and returns the function that waits for it.
func (s *estimatorSource) start(ctx context.Context, checked Checked, at time.Time) func() *authority.Estimate {
	if s == nil {
		return func() *authority.Estimate {
			return &authority.Estimate{Err: errors.New("the host has no such estimator")}
		}
	}
	checked.Arguments = bytes.Clone(checked.Arguments)
	f := launch(ctx, s.slots, at, DefaultTimeout, func(ctx context.Context) (any, error) {
		return s.estimator.estimate(ctx, checked)
	}, nil)
	deadline := time.NewTimer(DefaultTimeout)
	return func() *authority.Estimate {
		defer deadline.Stop()
		amount, err := f.wait(ctx, DefaultTimeout, deadline.C)
		if err != nil {
			return &authority.Estimate{Err: err}
		}
		return &authority.Estimate{Amount: amount.(string), Currency: s.estimator.spec.Currency}
	}
}

func (g *Guard) addFacts(m *authority.Manifest, facts []Fact) error {
	var errs []error
	g.facts = make(map[string]*factSource, len(facts))
	for _, f := range facts {
		switch {
		case f.spec.Name == "" || f.fetch == nil:
			errs = append(errs, configError("fact %q needs a name and a function: use NewFact", f.spec.Name))
		case f.timeout <= 0 || f.spec.MaxAge < 0:
			errs = append(errs, configError("fact %s: the timeout must be positive, and the maximum age not negative", f.spec.Name))
		case g.facts[f.spec.Name] != nil:
			errs = append(errs, configError("fact %s is given twice", f.spec.Name))
		default:
			g.facts[f.spec.Name] = &factSource{
				fact: f, slots: make(chan struct{}, maxFlights),
				kept: make(map[factKey]keptFact), flights: make(map[factKey]*flight),
			}
			m.Facts = append(m.Facts, f.spec)
		}
	}
	return errors.Join(errs...)
}

func (g *Guard) addDerived(m *authority.Manifest, derived []Derived) error {
	var errs []error
	g.derived = make(map[derivedKey]Derived, len(derived))
	for _, d := range derived {
		key := derivedKey{d.spec.Tool, d.spec.Name}
		_, err := classify.ParseToolID(d.spec.Tool)
		switch {
		case err != nil:
			errs = append(errs, &Error{Code: CodeConfig, Message: fmt.Sprintf("derived value %q", d.spec.Name), Err: err})
		case d.spec.Name == "" || d.derive == nil:
			errs = append(errs, configError("derived value %q of tool %s needs a name and a function: use Derive", d.spec.Name, d.spec.Tool))
		case g.derived[key].derive != nil:
			errs = append(errs, configError("derived value %s of tool %s is given twice", d.spec.Name, d.spec.Tool))
		default:
			g.derived[key] = d
			m.Derived = append(m.Derived, d.spec)
		}
	}
	return errors.Join(errs...)
}

func (g *Guard) addEstimators(m *authority.Manifest, estimators []Estimator) error {
	var errs []error
	g.estimators = make(map[string]*estimatorSource, len(estimators))
	for _, e := range estimators {
		switch {
		case e.spec.Name == "" || e.spec.Currency == "" || e.estimate == nil:
			errs = append(errs, configError("estimator %q needs a name, a currency and a function", e.spec.Name))
		case g.estimators[e.spec.Name] != nil:
			errs = append(errs, configError("estimator %s is given twice", e.spec.Name))
		default:
			g.estimators[e.spec.Name] = &estimatorSource{estimator: e, slots: make(chan struct{}, maxFlights)}
			m.Estimators = append(m.Estimators, e.spec)
		}
	}
	return errors.Join(errs...)
}
