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

	mu      sync.RWMutex
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

// deriver derives the values of one tool, by name.
type deriver map[string]Derived

// ask fetches what the class of a call needs, all at once. The facts are from
// a pool, for [forget].
func (g *Guard) ask(
	ctx context.Context, c *authority.Classified, s *subject,
) (facts map[string]authority.FactValue, estimate *authority.Estimate) {
	requests, name := c.Facts(), c.Estimator()
	if len(requests) == 0 && name == "" {
		return nil, nil
	}
	a := asking{ctx: ctx, at: s.call.At, checked: Checked{
		Agent: s.call.Agent, Tool: s.call.Tool, Class: c.Class(), Arguments: c.Arguments(),
	}}
	facts = factMaps.Get().(map[string]authority.FactValue)
	for _, r := range requests {
		a.fact(g.facts[r.Name], r, facts)
	}
	if name != "" {
		a.estimate(g.estimators[name])
	}
	return facts, a.wait(facts)
}

var factMaps = sync.Pool{New: func() any { return make(map[string]authority.FactValue) }}

// forget gives back the facts of a call that was assessed.
func forget(facts map[string]authority.FactValue) {
	if facts != nil {
		clear(facts)
		factMaps.Put(facts)
	}
}

// asking is what one call asks of the host.
type asking struct {
	ctx     context.Context
	at      time.Time // on the guard's clock
	checked Checked   // its arguments are not to be given away
	began   time.Time // when the first flight was launched or joined
	flights []awaited
	pricing *estimatorSource
	price   *flight
	failed  *authority.Estimate
}

// awaited is a flight that a call waits for.
type awaited struct {
	name    string
	timeout time.Duration
	flight  *flight
}

// fact puts a fact that is kept into facts, and begins to fetch any other.
func (a *asking) fact(s *factSource, r authority.FactRequest, facts map[string]authority.FactValue) {
	if s == nil {
		facts[r.Name] = authority.FactValue{Err: errors.New("the host has no such fact")}
		return
	}
	key := factKey{sessionID{a.checked.Agent.Session, a.checked.Agent.OnBehalfOf}, r.Key}
	if k, ok := s.fresh(key, a.at); ok {
		facts[r.Name] = authority.FactValue{Value: k.value, At: k.at}
		return
	}
	a.launching()
	a.flights = append(a.flights, awaited{r.Name, s.fact.timeout, s.fetch(a, key)})
}

func (a *asking) launching() {
	if a.began.IsZero() {
		a.began = time.Now()
	}
}

// copied is what a function of the host gets: its arguments are its own.
func (a *asking) copied() Checked {
	checked := a.checked
	checked.Arguments = bytes.Clone(checked.Arguments)
	return checked
}

// estimate begins to price the call.
func (a *asking) estimate(s *estimatorSource) {
	if s == nil {
		a.failed = &authority.Estimate{Err: errors.New("the host has no such estimator")}
		return
	}
	a.launching()
	checked := a.copied()
	a.pricing, a.price = s, launch(a.ctx, s.slots, a.at, DefaultTimeout, func(ctx context.Context) (any, error) {
		return s.estimator.estimate(ctx, checked)
	}, nil)
}

// wait puts into facts what was fetched, and returns the price, if one was
// asked for.
func (a *asking) wait(facts map[string]authority.FactValue) *authority.Estimate {
	for _, w := range a.flights {
		value, err := w.flight.wait(a.ctx, a.began, w.timeout)
		if err != nil {
			facts[w.name] = authority.FactValue{Err: err}
			continue
		}
		facts[w.name] = authority.FactValue{Value: value, At: w.flight.at}
	}
	if a.pricing == nil {
		return a.failed
	}
	amount, err := a.price.wait(a.ctx, a.began, DefaultTimeout)
	if err != nil {
		return &authority.Estimate{Err: err}
	}
	return &authority.Estimate{Amount: amount.(string), Currency: a.pricing.estimator.spec.Currency}
}

// fresh returns a value that is kept and serves at a time.
func (s *factSource) fresh(key factKey, at time.Time) (keptFact, bool) {
	if s.fact.spec.MaxAge <= 0 {
		return keptFact{}, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.serves(key, at)
}

// serves is fresh with the lock held.
func (s *factSource) serves(key factKey, at time.Time) (keptFact, bool) {
	k, ok := s.kept[key]
	return k, ok && at.Sub(k.at) <= s.fact.spec.MaxAge
}

// fetch launches a flight for the fact, or joins one.
func (s *factSource) fetch(a *asking, key factKey) *flight {
	if s.fact.spec.MaxAge <= 0 {
		// Each call its own: a fetch that began before another call acted must
		// not answer for the state after it.
		return launch(a.ctx, s.slots, a.at, s.fact.timeout, s.call(a), nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.serves(key, a.at); ok {
		return landedFlight(k.at, k.value, nil) // it landed just now
	}
	if f, ok := s.flights[key]; ok {
		return f
	}
	// Others may wait for this one, so no single caller's cancellation ends it.
	f := launch(context.WithoutCancel(a.ctx), s.slots, a.at, s.fact.timeout, s.call(a), func(f *flight) { s.land(key, f) })
	select {
	case <-f.done: // it never took off
	default:
		s.flights[key] = f
	}
	return f
}

// call returns a call of the fact's function.
func (s *factSource) call(a *asking) func(context.Context) (any, error) {
	checked := a.copied()
	return func(ctx context.Context) (any, error) { return s.fact.fetch(ctx, checked) }
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
	g.derivers = make(map[classify.ToolID]deriver)
	for _, d := range derived {
		tool, err := classify.ParseToolID(d.spec.Tool)
		switch {
		case err != nil:
			errs = append(errs, &Error{Code: CodeConfig, Message: fmt.Sprintf("derived value %q", d.spec.Name), Err: err})
		case d.spec.Name == "" || d.derive == nil:
			errs = append(errs, configError("derived value %q of tool %s needs a name and a function: use Derive", d.spec.Name, d.spec.Tool))
		case g.derivers[tool][d.spec.Name].derive != nil:
			errs = append(errs, configError("derived value %s of tool %s is given twice", d.spec.Name, d.spec.Tool))
		default:
			if g.derivers[tool] == nil {
				g.derivers[tool] = make(deriver)
			}
			g.derivers[tool][d.spec.Name] = d
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
