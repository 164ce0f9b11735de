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

// values returns every scalar at the path under root; ok is false when
// something on the way is absent. A list on the way stands for its elements,
// and an empty one for an absent value, so that no rule holds for want of
// anything to look at.
func (p path) values(root strictjson.Value) (found []strictjson.Value, ok bool) {
	current := []strictjson.Value{root}
	for _, s := range p.steps {
		next := make([]strictjson.Value, 0, len(current))
		for _, v := range current {
			m, exists := v.Get(s.name)
			if !exists {
				return nil, false
			}
			if next, ok = flatten(next, m); !ok {
				return nil, false
			}
		}
		current = next
	}
	return current, len(current) > 0
}

func flatten(into []strictjson.Value, v strictjson.Value) ([]strictjson.Value, bool) {
	if v.Kind() != strictjson.List {
		return append(into, v), true
	}
	if len(v.List()) == 0 {
		return nil, false
	}
	for _, elem := range v.List() {
		var ok bool
		if into, ok = flatten(into, elem); !ok {
			return nil, false
		}
	}
	return into, true
}
