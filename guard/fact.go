package guard

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// DefaultTimeout is how long a fact or an estimator may take, unless it says
// otherwise. What takes longer is unavailable, which denies.
const DefaultTimeout = 2 * time.Second

// Checked is the call that a fact or an estimator is asked about, after its
// arguments were checked and its class was found.
type Checked struct {
	Agent     rationale.Agent
	Tool      classify.ToolID
	Class     string
	Arguments json.RawMessage // the checked bytes; a copy that the function may keep
}

// Value is a type that a fact or a derived value can have.
type Value interface {
	bool | int64 | float64 | string | time.Time | time.Duration |
		[]bool | []int64 | []float64 | []string | []time.Time | []time.Duration |
		map[string]bool | map[string]int64 | map[string]float64 | map[string]string |
		map[string]time.Time | map[string]time.Duration
}

// Fact is a typed value that the host supplies, such as the current number of
// replicas. Make one with [NewFact]; the zero Fact is refused by [New].
type Fact struct {
	spec    authority.FactSpec
	timeout time.Duration
	fetch   func(context.Context, Checked) (any, error)
}

// NewFact names a fact and the function that fetches it. Rules read it as
// facts.NAME.
//
// The function is called only for calls whose class reads the fact, and must be
// safe for concurrent use. An error, a panic and a timeout make the fact
// unavailable, and every rule that reads it an error. A function that ignores
// its context is abandoned: the guard stops waiting, never starts more than
// one such call for one key of a fact with [MaxAge], nor more than 64 at a time
// for one fact, and finds the fact unavailable instead.
//
// It must not change a slice or a map after it has returned it.
func NewFact[T Value](name string, fn func(context.Context, Checked) (T, error), opts ...FactOption) Fact {
	f := Fact{
		spec:    authority.FactSpec{Name: name, Type: typeName(reflect.TypeFor[T]())},
		timeout: DefaultTimeout,
	}
	if fn != nil {
		f.fetch = func(ctx context.Context, c Checked) (any, error) { return fn(ctx, c) }
	}
	for _, opt := range opts {
		opt(&f)
	}
	return f
}

// FactOption changes how a fact is fetched.
type FactOption func(*Fact)

// MaxAge lets a value serve for that long, counted from when its fetch began.
// An older one is stale, and unavailable. Without it, or with zero, the fact is
// fetched for each call that reads it.
//
// A kept value serves the calls of the same session and on-behalf-of that have
// the same values at the paths of [By], so a function that looks at anything
// else of the call must not be given a MaxAge.
func MaxAge(d time.Duration) FactOption { return func(f *Fact) { f.spec.MaxAge = d } }

// By names the argument paths, such as "args.workload", on which the value
// depends: one workload's replicas are not another's.
// A call in which one of the paths leads to nothing shares its value only with calls
// of the same arguments.
func By(paths ...string) FactOption { return func(f *Fact) { f.spec.By = paths } }

// Source says where the value comes from, for people who read the records.
func Source(text string) FactOption { return func(f *Fact) { f.spec.Source = text } }

// Timeout replaces [DefaultTimeout] for one fact. It must be positive.
func Timeout(d time.Duration) FactOption { return func(f *Fact) { f.timeout = d } }

// Derived is a typed value that the host derives from the arguments of a tool,
// such as the kind in a manifest that is passed as one string. Make one with
// [Derive]; the zero Derived is refused by [New].
type Derived struct {
	spec   authority.DerivedSpec
	derive func(json.RawMessage) (any, error)
}

// Derive names a value derived from the arguments of a tool, which is given as
// "name" or "server/name". Rules read it as derived.NAME.
//
// The function gets a copy of the checked bytes. It must be pure, quick and
// safe for concurrent use: it has no context, and the call waits for it. An
// error or a panic denies the call.
func Derive[T Value](tool, name string, fn func(arguments json.RawMessage) (T, error)) Derived {
	d := Derived{spec: authority.DerivedSpec{Tool: tool, Name: name, Type: typeName(reflect.TypeFor[T]())}}
	if fn != nil {
		d.derive = func(arguments json.RawMessage) (any, error) { return fn(arguments) }
	}
	return d
}

// Estimator prices a call where no rule in the document can. Make one with
// [NewEstimator]; the zero Estimator is refused by [New].
type Estimator struct {
	spec     authority.EstimatorSpec
	estimate func(context.Context, Checked) (string, error)
}

// NewEstimator names a function that returns the price of a call as an exact
// decimal, such as "129.95", in an ISO 4217 currency. It must be safe for
// concurrent use. An error, a panic, and more than [DefaultTimeout] leave the
// call unpriced, which denies; a function that ignores its context is
// abandoned, and while 64 are abandoned no further one is called.
func NewEstimator(name, currency string, fn func(context.Context, Checked) (amount string, err error)) Estimator {
	return Estimator{spec: authority.EstimatorSpec{Name: name, Currency: currency}, estimate: fn}
}

// typeName writes a Go type of [Value] as manifests do.
func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "timestamp"
	case reflect.TypeFor[time.Duration]():
		return "duration"
	}
	switch t.Kind() {
	case reflect.Slice:
		return "list<" + typeName(t.Elem()) + ">"
	case reflect.Map:
		return "map<" + typeName(t.Elem()) + ">"
	case reflect.Int64:
		return "int"
	case reflect.Float64:
		return "double"
	default:
		return strings.ToLower(t.Kind().String())
	}
}
