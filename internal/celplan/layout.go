package celplan

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// Layout gives every value that the expressions of one tool read a slot in
// the [Frame] of an evaluation, so that each is read from the arguments once
// and found by its index. It is safe for concurrent use.
type Layout struct {
	schema *strictjson.Schema // of args; nil: args come from an Input alone

	mu    sync.Mutex
	slots []slotPath
	index map[slotKey]int
	built atomic.Pointer[builtLayout] // nil after a slot was added
}

// maxLoops is how many slots every layout begins with: for the variables of
// the loops of a native program, by how deep they are nested.
const maxLoops = 4

// slotPath is what a slot holds: a root, and the names that lead from it. A
// loop's variable has no root.
type slotPath struct {
	root  string
	names []string
}

// slotKey is a slotPath with its names as one.
type slotKey struct{ root, names string }

// builtLayout is a layout as evaluations use it.
type builtLayout struct {
	slots  []slotPath
	reader *strictjson.Reader
	call   [5]int // slots of callNames; -1: nobody reads it
}

var callNames = [5]string{"agent", "environment", "session", "time", "tool"}

// NewLayout returns the layout of a tool with that schema; nil for one whose
// arguments are never read from bytes.
func NewLayout(schema *strictjson.Schema) *Layout {
	return &Layout{schema: schema, slots: make([]slotPath, maxLoops), index: make(map[slotKey]int)}
}

// Slot returns the slot of the value at a path: a root (args, derived, facts,
// event or call) and the names of declared properties from there, at least one;
// of derived, facts and event exactly one.
func (l *Layout) Slot(root string, names ...string) int {
	key := slotKey{root, strings.Join(names, "\x00")} // of one name without a copy
	l.mu.Lock()
	defer l.mu.Unlock()
	if slot, ok := l.index[key]; ok {
		return slot
	}
	slot := len(l.slots)
	l.slots = append(l.slots, slotPath{root: root, names: slices.Clone(names)})
	l.index[key] = slot
	l.built.Store(nil)
	return slot
}

func (l *Layout) build() *builtLayout {
	if b := l.built.Load(); b != nil {
		return b
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := &builtLayout{slots: slices.Clone(l.slots), call: [5]int{-1, -1, -1, -1, -1}}
	var places []strictjson.Place
	for slot, at := range b.slots {
		switch at.root {
		case "args":
			places = append(places, strictjson.Place{Path: at.names, Slot: slot})
		case "call":
			b.call[slices.Index(callNames[:], at.names[0])] = slot
		}
	}
	if l.schema != nil {
		b.reader = l.schema.NewReader(places)
	}
	l.built.Store(b)
	return b
}

// resolve returns the slot of what the steps lead to, as far as they go
// through declared members, and the steps from there.
func (l *Layout) resolve(types *provider, steps []step) (slot int, rest []step) {
	root, ok := types.variable(steps[0].name)
	if !ok || len(steps) < 2 {
		return -1, steps
	}
	n, object := 1, root
	for n < len(steps) && object != nil && !steps[n].any {
		f, declared := object.fields[steps[n].name]
		if !declared {
			break
		}
		n++
		if object = f.shape.object; steps[0].name != "args" {
			break
		}
	}
	if n == 1 {
		return -1, steps
	}
	names := make([]string, 0, n-1)
	for _, s := range steps[1:n] {
		names = append(names, s.name)
	}
	return l.Slot(steps[0].name, names...), steps[n:]
}
