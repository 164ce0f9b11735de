package audit

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

// mapping explains the JSON lines of any log: typed fields, and what expressions
// over them say that an event is. It is immutable.
type mapping struct {
	layout *celplan.Layout
	fields []mappedField
	// What an event is. A nil program says nothing: it succeeded, it is
	// mutating, it has no resource, it repeats no other, no service began it.
	id, time, principal, action, resource, request *celplan.Program // texts
	success, mutating, service                     *celplan.Program // bools
}

// mappedField is a field of a line.
type mappedField struct {
	name, path string
	kind       strictjson.Kind
	slot       int // in the layout
}

const mappingExample = "such as mapping: {fields: {id: {path: event.id, type: string}}, id: event.id}"

// mapping reads what explains the lines of a log.
func (d *decoder) mapping(v value) *mapping {
	f := d.Map(v, v.Name+".", "fields", "id", "time", "principal", "action", "resource", "request", "success", "mutating", "service")
	m := &mapping{layout: celplan.NewLayout(nil)}
	declared := f.Need("fields", mappingExample)
	scope := &strictjson.Type{Kind: strictjson.Object}
	for _, e := range declared.Entries() {
		field, ok := d.mappedField(e.Key.Text(), yamldoc.Named(e.Value, declared.Name+"."+e.Key.Text()))
		if !ok {
			continue
		}
		field.slot = m.layout.Slot("event", field.name)
		m.fields = append(m.fields, field)
		scope.Fields = append(scope.Fields, strictjson.Field{Name: field.name, Type: &strictjson.Type{Kind: field.kind}})
	}
	env, err := celplan.NewEnv(celplan.Scope{Event: scope}, celplan.WithLayout(m.layout))
	if err != nil {
		d.Fail(declared.Node, "", "%s: %v", declared.Name, err)
		return m
	}
	for _, p := range []struct {
		key      string
		into     **celplan.Program
		want     strictjson.Kind
		optional bool
	}{
		{"id", &m.id, strictjson.String, false},
		{"time", &m.time, strictjson.String, false},
		{"principal", &m.principal, strictjson.String, false},
		{"action", &m.action, strictjson.String, false},
		{"resource", &m.resource, strictjson.String, true},
		{"request", &m.request, strictjson.String, true},
		{"success", &m.success, strictjson.Bool, true},
		{"mutating", &m.mutating, strictjson.Bool, true},
		{"service", &m.service, strictjson.Bool, true},
	} {
		text := f.Get(p.key)
		if !p.optional {
			text = f.Need(p.key, fmt.Sprintf("%s: an expression over event.…, %s", p.key, mappingExample))
		}
		*p.into = d.expression(env, text, p.want)
	}
	return m
}

func (d *decoder) mappedField(name string, v value) (mappedField, bool) {
	f := d.Map(v, v.Name+".", "path", "type")
	path := f.Need("path", "path: where in a line the value stands")
	kinds := map[string]strictjson.Kind{"string": strictjson.String, "int": strictjson.Int, "double": strictjson.Double, "bool": strictjson.Bool}
	kind := kinds[d.OneOf(f.Need("type", "type: string, int, double or bool"), "string", "int", "double", "bool")]
	return mappedField{name: name, path: path.Text(), kind: kind}, d.path(path) && kind != strictjson.Invalid
}

func (d *decoder) expression(env *celplan.Env, v value, want strictjson.Kind) *celplan.Program {
	text := d.Str(v)
	if text == "" {
		return nil
	}
	p, err := env.Compile(text, want)
	if failed, ok := errors.AsType[*celplan.CompileError](err); ok {
		for _, issue := range failed.Issues {
			d.Problems = append(d.Problems, v.Inside(issue.Line, issue.Column, v.Name+": "+issue.Message, ""))
		}
	}
	return p
}

// value returns what stands in a field as the expression's type has it; Invalid
// where it has another type, which reads as absent.
func (f mappedField) value(v picked, text []byte) strictjson.Value {
	switch {
	case f.kind == strictjson.String && v.kind == '"':
		return strictjson.StringValue(string(text))
	case f.kind == strictjson.Bool && (v.kind == 't' || v.kind == 'f'):
		return strictjson.BoolValue(v.kind == 't')
	case f.kind == strictjson.Int && v.kind == '0':
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return strictjson.IntValue(n)
		}
	case f.kind == strictjson.Double && v.kind == '0':
		if n, err := strconv.ParseFloat(string(text), 64); err == nil && !math.IsInf(n, 0) {
			if double, err := strictjson.DoubleValue(n); err == nil {
				return double
			}
		}
	}
	return strictjson.Value{}
}

// linesReader reads events as a mapping explains them.
type linesReader struct {
	*mapping
	slots []int // of the fields, in the picker
	frame celplan.Frame
}

func newLinesReader(m *mapping, p *picker) *linesReader {
	r := &linesReader{mapping: m}
	for _, f := range m.fields {
		r.slots = append(r.slots, p.mustWant(f.path))
	}
	return r
}

func (r *linesReader) read(p *picker, e *event) error {
	r.frame.Begin(r.layout)
	defer r.frame.End()
	for i, f := range r.fields {
		p.all(r.slots[i], func(v picked, text []byte) {
			r.frame.Set(f.slot, f.value(v, text))
		})
	}
	var at, request string
	for _, t := range []struct {
		name string
		from *celplan.Program
		into *string
	}{{"id", r.id, &e.id}, {"time", r.time, &at}, {"principal", r.principal, &e.principal}, {"action", r.action, &e.action}, {"resource", r.resource, &e.resource}, {"request", r.request, &request}} {
		if t.from == nil {
			continue
		}
		text, err := t.from.Text(&r.frame)
		if err != nil && t.name != "resource" && t.name != "request" { // not every act has one
			return fmt.Errorf("its %s cannot be told: %w", t.name, err)
		}
		*t.into = text
	}
	if e.id == "" || e.action == "" {
		return errIncomplete
	}
	var err error
	if e.at, err = instant(at); err != nil {
		return err
	}
	mutating, err := r.holds(r.mutating, true)
	if err != nil {
		return fmt.Errorf("whether it is mutating cannot be told: %w", err)
	}
	service, err := r.holds(r.service, false)
	if err != nil {
		return fmt.Errorf("whether a service began it cannot be told: %w", err)
	}
	success, err := r.holds(r.success, true)
	if err != nil {
		return fmt.Errorf("whether it succeeded cannot be told: %w", err)
	}
	e.readOnly, e.service, e.failed, e.sent = !mutating, service, !success, e.resource
	e.asked(nil, []byte(request))
	e.principals = append(e.principals, e.principal)
	return nil
}

func (r *linesReader) holds(p *celplan.Program, otherwise bool) (bool, error) {
	if p == nil {
		return otherwise, nil
	}
	return p.Bool(&r.frame)
}

// instant reads a time as logs write it.
func instant(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, errNoTime
	}
	if year := at.UTC().Year(); year < 1970 || year > 2200 {
		return time.Time{}, fmt.Errorf("its time is in the year %d", year)
	}
	return at.UTC(), nil
}
