package celplan

import (
	"github.com/ambit-go/ambit/internal/strictjson"
)

// Frame holds what one evaluation reads, in the slots of a [Layout]. It is
// made to be used again: [Frame.Begin] starts the next evaluation. The zero
// Frame is ready for it. A Frame serves one goroutine.
type Frame struct {
	layout  *Layout
	built   *builtLayout
	vals    []strictjson.Value // by slot; Invalid: absent, or unavailable
	broken  []brokenFact
	args    []byte
	scratch strictjson.Scratch
	input   *Input // of programs that run on cel-go; made when the first needs it

	work  int   // left to do in one evaluation of a native program
	text  int   // bytes of text left to go through in it
	lists arena // that it computes
}

type brokenFact struct {
	slot int
	why  string
}

// Begin forgets the last evaluation and prepares one of that layout, to which
// no slot may be added before it ends.
func (f *Frame) Begin(l *Layout) {
	if f.layout != nil {
		f.End()
	}
	f.layout, f.built = l, l.build()
	if n := len(f.built.slots); n <= cap(f.vals) {
		f.vals = f.vals[:n]
	} else {
		f.vals = make([]strictjson.Value, n)
	}
}

// End forgets everything that the evaluation held on to.
func (f *Frame) End() {
	clear(f.vals)
	clear(f.broken)
	f.lists.forget()
	f.scratch.Forget()
	f.broken, f.args, f.input, f.layout, f.built = f.broken[:0], nil, nil, nil, nil
}

// ReadArgs reads the arguments from a tool's raw JSON. The error is that of
// [strictjson.Schema.Decode]. data must not change until the evaluation ends.
func (f *Frame) ReadArgs(data []byte, lim strictjson.Limits) error {
	f.args = data
	return f.built.reader.Read(data, lim, f.vals, &f.scratch)
}

// Set sets the value of a slot of facts, derived or event; Invalid: it is absent.
func (f *Frame) Set(slot int, v strictjson.Value) { f.vals[slot], f.input = v, nil }

// SetUnavailable says why a fact cannot be read.
func (f *Frame) SetUnavailable(slot int, why string) {
	f.vals[slot], f.input = strictjson.Value{}, nil
	f.broken = append(f.broken, brokenFact{slot: slot, why: why})
}

// SetCall sets the variable call.
func (f *Frame) SetCall(c CallInfo) {
	for i, slot := range f.built.call {
		if slot < 0 {
			continue
		}
		switch callNames[i] {
		case "agent":
			f.vals[slot] = strictjson.StringValue(c.Agent)
		case "environment":
			f.vals[slot] = strictjson.StringValue(c.Environment)
		case "session":
			f.vals[slot] = strictjson.StringValue(c.Session)
		case "time":
			f.vals[slot] = strictjson.TimestampValue(c.Time)
		case "tool":
			f.vals[slot] = strictjson.StringValue(c.Tool)
		}
	}
}

// Value returns the value of a slot; Invalid: it is absent or unavailable.
func (f *Frame) Value(slot int) strictjson.Value { return f.vals[slot] }

// Unavailable returns why the fact of a slot cannot be read; ok is false if it
// can, or is merely absent.
func (f *Frame) Unavailable(slot int) (why string, ok bool) {
	for _, b := range f.broken {
		if b.slot == slot {
			return b.why, true
		}
	}
	return "", false
}

// Load sets everything from an input.
func (f *Frame) Load(in *Input) {
	f.input = in
	for slot, at := range f.built.slots {
		switch at.root {
		case "args":
			f.vals[slot] = follow(in.Args, at.names)
		case "derived":
			f.vals[slot] = follow(in.Derived, at.names)
		case "facts":
			if why, broken := in.Unavailable[at.names[0]]; broken {
				f.SetUnavailable(slot, why)
				continue
			}
			f.vals[slot] = follow(in.Facts, at.names)
		case "event":
			f.vals[slot] = follow(in.Event, at.names)
		}
	}
	f.SetCall(in.Call)
	f.input = in
}

func follow(v strictjson.Value, names []string) strictjson.Value {
	for _, name := range names {
		next, ok := v.Get(name)
		if !ok {
			return strictjson.Value{}
		}
		v = next
	}
	return v
}

// whole returns the frame as the input of a cel-go program.
func (f *Frame) whole() (*Input, error) {
	if f.input != nil {
		return f.input, nil
	}
	in := &Input{Unavailable: make(map[string]string)}
	var err error
	if f.args != nil {
		// The reader has accepted these bytes within the caller's limits.
		lim := strictjson.Limits{Bytes: len(f.args), Depth: len(f.args), Nodes: len(f.args) + 1, NumberBytes: len(f.args)}
		if in.Args, err = f.layout.schema.Decode(f.args, lim); err != nil {
			return nil, err
		}
	}
	var facts, derived, event []strictjson.Member
	for slot, at := range f.built.slots {
		switch v := f.vals[slot]; at.root {
		case "facts":
			if why, broken := f.Unavailable(slot); broken {
				in.Unavailable[at.names[0]] = why
			} else if v.Kind() != strictjson.Invalid {
				facts = append(facts, strictjson.Member{Name: at.names[0], Value: v})
			}
		case "derived":
			if v.Kind() != strictjson.Invalid {
				derived = append(derived, strictjson.Member{Name: at.names[0], Value: v})
			}
		case "event":
			if v.Kind() != strictjson.Invalid {
				event = append(event, strictjson.Member{Name: at.names[0], Value: v})
			}
		case "call":
			switch at.names[0] {
			case "agent":
				in.Call.Agent = v.Str()
			case "environment":
				in.Call.Environment = v.Str()
			case "session":
				in.Call.Session = v.Str()
			case "time":
				in.Call.Time = v.Time()
			case "tool":
				in.Call.Tool = v.Str()
			}
		}
	}
	in.Facts = strictjson.MapValue(strictjson.Object, facts)
	in.Derived = strictjson.MapValue(strictjson.Object, derived)
	in.Event = strictjson.MapValue(strictjson.Object, event)
	f.input = in
	return in, nil
}
