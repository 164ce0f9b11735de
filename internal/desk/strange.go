package desk

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// maxNames bounds how many names a warning lists.
const maxNames = 20

// strange says that no document which hosts have loaded is of what a suspension
// names, as one whose name is misspelt; empty: one is, or nobody can tell. Names are
// compared as calls are with a suspension: exactly.
func strange(what rationale.Suspension, docs []*rationale.Lifecycle) string {
	names, name := make(map[string]bool), what.Agent
	switch {
	case what.Everything:
		return ""
	case what.Agent != "":
		for _, l := range docs {
			names[l.Agent.ID] = true
		}
	default:
		name = what.Authorization
		for _, l := range docs {
			if l.Authorization != nil {
				names[l.Authorization.ID] = true
			}
		}
		if what.Class != "" && names[name] {
			if name, names = what.Class, classes(what.Authorization, docs); len(names) == 0 {
				return "" // they cannot be read by themselves
			}
		}
	}
	if len(names) == 0 {
		return fmt.Sprintf("no document that is loaded here is of %s", what)
	}
	if names[name] {
		return ""
	}
	known := slices.Sorted(maps.Keys(names))
	if len(known) > maxNames {
		known = append(known[:maxNames], "…")
	}
	return fmt.Sprintf("no document that is loaded here is of %s; there is: %s", what, strings.Join(known, ", "))
}

// classes returns the classes of an authorization, in all versions that are loaded.
func classes(authorization string, docs []*rationale.Lifecycle) map[string]bool {
	names := make(map[string]bool)
	for _, l := range docs {
		if l.Authorization == nil || l.Authorization.ID != authorization {
			continue
		}
		doc := authority.Document{Name: l.Document, Data: l.Bytes}
		set, err := authority.Load([]authority.Document{doc}, authority.Manifest{}, authority.AllowUnsigned())
		if err != nil {
			continue
		}
		for _, e := range set.Inventory(time.Time{}) {
			names[e.Class] = true
		}
	}
	return names
}
