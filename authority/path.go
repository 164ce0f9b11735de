package authority

import (
	"fmt"
	"strings"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// path is a bare path such as args.region or args.payments[].amount, in which
// [] stands for every element of a list.
type path struct {
	text  string
	root  string // args, derived or facts
	steps []step
}

type step struct {
	name string
	each bool // every element of the list that name holds
}

func parsePath(text string) (path, error) {
	parts := strings.Split(text, ".")
	p := path{text: text, root: parts[0]}
	if p.root != "args" && p.root != "derived" && p.root != "facts" {
		return path{}, fmt.Errorf("%q is no path: want args.NAME, derived.NAME or facts.NAME", text)
	}
	for _, part := range parts[1:] {
		name, each := strings.CutSuffix(part, "[]")
		if name == "" || strings.ContainsAny(name, "[]()'\" ") {
			return path{}, fmt.Errorf("%q is no path: want names separated by '.', with [] after the name of a list", text)
		}
		p.steps = append(p.steps, step{name: name, each: each})
	}
	if len(p.steps) == 0 {
		return path{}, fmt.Errorf("%q is no path: want %s.NAME", text, p.root)
	}
	return p, nil
}

// typeOf returns the type at the path, or an error that names the first part
// that does not exist. A list at the end stands for its elements.
func (p path) typeOf(root *strictjson.Type) (*strictjson.Type, error) {
	t, at := root, p.root
	for _, s := range p.steps {
		if t.Kind == strictjson.Dyn {
			return t, nil
		}
		next, err := member(t, at, s.name)
		if err != nil {
			return nil, err
		}
		t, at = next, at+"."+s.name
		if s.each && t.Kind != strictjson.List && t.Kind != strictjson.Dyn {
			return nil, fmt.Errorf("%s is no list but %s", at, t)
		}
		if s.each && t.Kind == strictjson.List {
			t = t.Elem
		}
	}
	for t.Kind == strictjson.List {
		t = t.Elem
	}
	return t, nil
}

func member(t *strictjson.Type, at, name string) (*strictjson.Type, error) {
	switch t.Kind {
	case strictjson.Map:
		return t.Elem, nil
	case strictjson.Object:
		if f, ok := t.Field(name); ok {
			return f.Type, nil
		}
		names := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			names[i] = f.Name
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("%s has no %q: it has no members", at, name)
		}
		return nil, fmt.Errorf("%s has no %q: it has %s", at, name, strings.Join(names, ", "))
	default:
		return nil, fmt.Errorf("%s is %s and has no members", at, t)
	}
}

// location is a path as the calls of one tool are read: from a slot on.
type location struct {
	path
	slot int    // -1: the path begins with what the tool does not declare
	rest []step // from there
}

// collect adds every scalar that the steps lead to from v; ok is false when
// something on the way is absent. A list on the way stands for its elements,
// and an empty one for an absent value, so that no rule holds for want of
// anything to look at.
func collect(into []strictjson.Value, v strictjson.Value, steps []step) (found []strictjson.Value, ok bool) {
	switch v.Kind() {
	case strictjson.Invalid:
		return into, false
	case strictjson.List:
		if len(v.List()) == 0 {
			return into, false
		}
		for _, elem := range v.List() {
			if into, ok = collect(into, elem, steps); !ok {
				return into, false
			}
		}
		return into, true
	}
	if len(steps) == 0 {
		return append(into, v), true
	}
	member, ok := v.Get(steps[0].name)
	if !ok {
		return into, false
	}
	return collect(into, member, steps[1:])
}
