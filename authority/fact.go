package authority

import (
	"errors"
	"fmt"
	"time"

	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// factState is what the host supplied for a fact; err says why it is
// unavailable.
type factState struct {
	value strictjson.Value
	at    time.Time // zero: the host supplied none
	err   error
}

var (
	errNotSupplied = errors.New("the host did not supply it")
	errStale       = errors.New("it is too old")
)

// supply types what the host supplied and puts it into the frame. A fact that
// is missing, in error, stale or of the wrong type is unavailable: whoever
// reads it fails.
func (e *evaluation) supply() {
	for _, f := range e.plan.facts {
		given, ok := e.in.Facts[f.name]
		if !ok {
			given.Err = errNotSupplied
		}
		value, err := e.fact(f, &given)
		if err != nil {
			e.frame.SetUnavailable(f.slot, err.Error())
		} else {
			e.frame.Set(f.slot, value)
		}
		if e.records {
			e.facts = append(e.facts, factState{value: value, at: given.At, err: err})
		}
	}
}

// fact types one fact.
func (e *evaluation) fact(f *factPlan, given *FactValue) (strictjson.Value, error) {
	if given.Err != nil {
		given.At = time.Time{}
		return strictjson.Value{}, given.Err
	}
	if f.maxAge > 0 {
		if given.At.Add(f.maxAge).Before(e.call.At) {
			return strictjson.Value{}, e.stale(e.call.At.Sub(given.At), f.maxAge)
		}
	}
	// The kinds that most facts are of, and the general way for all.
	switch v := given.Value.(type) {
	case int64:
		if f.of.Kind == strictjson.Int {
			return strictjson.IntValue(v), nil
		}
	case bool:
		if f.of.Kind == strictjson.Bool {
			return strictjson.BoolValue(v), nil
		}
	}
	return strictjson.FromGo(f.of, given.Value)
}

// stale says that a fact is too old, and how old where that is recorded.
func (e *evaluation) stale(age, most time.Duration) error {
	if !e.records {
		return errStale
	}
	return fmt.Errorf("it is %v old, more than %v", age.Round(time.Millisecond), most)
}

// maxFactKey bounds a key, which hosts keep: a longer one is its digest.
const maxFactKey = 256

// factKey is what a fact's value may depend on: the values at its By paths, as
// they are nested. Where one is absent the function may look at anything in
// its place, so all the arguments are the key.
func (e *evaluation) factKey(f *factPlan) string {
	if len(f.fact.by) == 0 {
		return ""
	}
	memory := e.record.json // which gathers nothing yet
	key, ok := e.appendNestedAll(append(memory, '['), f.by)
	if !ok {
		key = fmt.Appendf(memory, "%q %s", e.tool.id, e.args)
	}
	e.record.json = key[:len(memory)]
	if len(key) > maxFactKey {
		return rationale.Digest(key)
	}
	return string(key)
}

// appendNestedAll appends the values at the locations; false where one is
// absent, or there is no location.
func (e *evaluation) appendNestedAll(key []byte, by []*location) ([]byte, bool) {
	for i, at := range by {
		if i > 0 {
			key = append(key, ',')
		}
		var ok bool
		if key, ok = appendNested(key, e.start(at), at.rest); !ok {
			return nil, false
		}
	}
	return key, len(by) > 0
}

// appendNested appends the values that the steps lead to from v, each list on
// the way as an array; false where one is absent.
func appendNested(key []byte, v strictjson.Value, steps []step) ([]byte, bool) {
	if v.Kind() == strictjson.Invalid {
		return nil, false
	}
	if len(steps) == 0 {
		return v.AppendJSON(key), true
	}
	if v.Kind() == strictjson.List {
		key = append(key, '[')
		for _, elem := range v.List() {
			var ok bool
			if key, ok = appendNested(key, elem, steps); !ok {
				return nil, false
			}
			key = append(key, ',')
		}
		return append(key, ']'), true
	}
	member, ok := v.Get(steps[0].name)
	if !ok {
		return nil, false
	}
	return appendNested(key, member, steps[1:])
}

// start returns the value from which the location's rest is followed.
func (e *evaluation) start(at *location) strictjson.Value {
	switch {
	case at.slot >= 0:
		return e.frame.Value(at.slot)
	case at.root == "args":
		return e.everything()
	default: // nothing that is not declared is derived or supplied
		return strictjson.Value{}
	}
}

// everything returns all arguments: only a path that begins with what the tool
// does not declare needs them. They were read before, so they can be read.
func (e *evaluation) everything() strictjson.Value {
	if e.tree.Kind() == strictjson.Invalid {
		e.tree, _ = e.tool.schema.Decode(e.args, strictjson.DefaultLimits())
	}
	return e.tree
}

// valuesAt returns every scalar at a location, in memory that the next call
// uses again; ok is false when something on the way is absent.
func (e *evaluation) valuesAt(at *location) (found []strictjson.Value, ok bool) {
	e.values, ok = collect(e.values[:0], e.start(at), at.rest)
	return e.values, ok && len(e.values) > 0
}

// valueAt returns the scalar at a location; ok is false when there is none, or
// more than one.
func (e *evaluation) valueAt(at *location) (v strictjson.Value, ok bool) {
	if at.slot >= 0 && len(at.rest) == 0 {
		if v = e.frame.Value(at.slot); v.Kind() != strictjson.List {
			return v, v.Kind() != strictjson.Invalid
		}
	}
	values, ok := e.valuesAt(at)
	if !ok || len(values) != 1 {
		return strictjson.Value{}, false
	}
	return values[0], true
}
