package authority

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/internal/yamldoc"
)

// ParseManifest reads what [Manifest.YAML] writes, or what a person wrote: a
// document of kind Manifest. The error is an [Errors] with everything that is
// wrong; then the Manifest is zero. Of a tool, the schema and the annotations
// are a text that holds JSON, or are written out in YAML; the digest may be
// left out, and must be right where it is given.
func ParseManifest(name string, data []byte) (Manifest, error) {
	d := &decoder{}
	file, problems := yamldoc.Parse(name, data)
	d.Problems = append(d.Problems, problems...)
	root := yamldoc.Named(file.Root(), "the Manifest")
	var m Manifest
	if kind := d.kind(root); kind == "Manifest" {
		m = d.manifest(root)
	} else if kind != "" {
		d.Fail(at(root.Node, "kind"), "want Manifest", "the document is of kind %s", kind)
	}
	if len(d.Problems) > 0 {
		return Manifest{}, sortErrors(d.errors())
	}
	return m, nil
}

func (d *decoder) manifest(root value) Manifest {
	f := d.Map(root, "", "apiVersion", "kind", "agents", "tools", "models", "facts", "derived", "estimators", "record_keys")
	var m Manifest
	seen := make(map[string]bool)
	once := func(n yamldoc.Node, list, name string) {
		if key := list + " " + name; name != "" && seen[key] {
			d.Fail(n, "leave one out", "%s names %q twice", list, name)
		} else {
			seen[key] = true
		}
	}
	for _, item := range d.List(f.Get("agents"), true) {
		a := d.agentSpec(item)
		once(at(item.Node, "id"), "agents", a.ID)
		m.Agents = append(m.Agents, a)
	}
	for _, item := range d.List(f.Get("tools"), true) {
		t := d.toolSpec(item)
		once(at(item.Node, "name"), "tools", t.ID().String())
		m.Tools = append(m.Tools, t)
	}
	for _, item := range d.List(f.Get("models"), true) {
		m.Models = append(m.Models, d.modelSpec(item))
	}
	for _, item := range d.List(f.Get("facts"), true) {
		fact := d.factSpec(item)
		once(at(item.Node, "name"), "facts", fact.Name)
		m.Facts = append(m.Facts, fact)
	}
	for _, item := range d.List(f.Get("derived"), true) {
		derived := d.derivedSpec(item)
		if derived.Tool != "" && derived.Name != "" {
			once(at(item.Node, "name"), "derived", derived.Tool+" "+derived.Name)
		}
		m.Derived = append(m.Derived, derived)
	}
	for _, item := range d.List(f.Get("estimators"), true) {
		e := d.Map(item, "estimator.", "name", "currency")
		spec := EstimatorSpec{
			Name:     d.id(e.Need("name", "classes name it as their estimator")).Value,
			Currency: d.currency(e.Need("currency", "currency: EUR")),
		}
		once(at(item.Node, "name"), "estimators", spec.Name)
		m.Estimators = append(m.Estimators, spec)
	}
	for _, item := range d.List(f.Get("record_keys"), true) {
		id := d.id(item).Value
		once(item.Node, "record_keys", id)
		m.RecordKeys = append(m.RecordKeys, id)
	}
	return m
}

func (d *decoder) agentSpec(v value) AgentSpec {
	f := d.Map(v, "agent.", "id", "environments", "prompt")
	return AgentSpec{
		ID:           d.id(f.Need("id", "the id that the host gives to the agent")).Value,
		Environments: values(d.ids(f.Get("environments"))),
		Prompt:       d.Str(f.Get("prompt")),
	}
}

func (d *decoder) toolSpec(v value) Tool {
	f := d.Map(v, "tool.", "server", "name", "description", "schema", "annotations", "digest")
	name := f.Need("name", "name: the tool's own name")
	t := Tool{
		Server:      d.Str(f.Get("server")),
		Name:        d.Str(name),
		Schema:      d.object(f.Get("schema")),
		Annotations: d.object(f.Get("annotations")),
	}
	if description := f.Get("description"); !description.IsZero() {
		t.Description, _ = d.Scalar(description, "a text")
	}
	if t.Name != "" {
		if err := t.ID().Validate(); err != nil {
			d.Fail(name.Node, "", "%v", err)
		}
	}
	given := f.Get("digest")
	if digest := d.digest(given); digest != "" && digest != t.Digest() {
		d.Fail(given.Node, "write "+t.Digest()+", or leave the key out", "tool.digest is not the digest of what the manifest says of the tool")
	}
	return t
}

// object reads a JSON object: a text that holds one, or a mapping.
func (d *decoder) object(v value) json.RawMessage {
	var raw json.RawMessage
	switch {
	case v.IsZero():
		return nil
	case v.Kind() == yamldoc.Mapping:
		raw, _ = v.JSON()
	default:
		s, _ := d.Scalar(v, "a JSON object")
		raw = json.RawMessage(strings.TrimSpace(s))
	}
	if len(raw) == 0 {
		return nil
	}
	if raw[0] != '{' || !json.Valid(raw) {
		d.Fail(v.Node, `want a JSON object such as {"type": "object"}`, "%s is no JSON object", v.Name)
		return nil
	}
	return raw
}

func (d *decoder) modelSpec(v value) ModelSpec {
	f := d.Map(v, "model.", "provider", "name", "version", "basis")
	return ModelSpec{
		Provider: d.Str(f.Get("provider")),
		Name:     d.Str(f.Need("name", "name: the model's own name")),
		Version:  d.Str(f.Get("version")),
		Basis:    d.OneOf(f.Need("basis", "basis: reported, configured or asserted"), "reported", "configured", "asserted"),
	}
}

var memberName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// memberName reads the name of a fact or a derived value as expressions write it.
func (d *decoder) memberName(v value) string {
	s := d.Str(v)
	if s != "" && !memberName.MatchString(s) {
		d.Fail(v.Node, "want letters, digits and '_', and no digit first", "%s is %q, which no expression can name", v.Name, s)
		return ""
	}
	return s
}

func (d *decoder) valueType(v value) string {
	s := d.Str(v)
	if s == "" {
		return ""
	}
	t, err := strictjson.ParseType(s)
	if err != nil {
		d.Fail(v.Node, "", "%s: %v", v.Name, err)
		return ""
	}
	return t.String()
}

func (d *decoder) factSpec(v value) FactSpec {
	f := d.Map(v, "fact.", "name", "type", "source", "max_age", "by")
	fact := FactSpec{
		Name:   d.memberName(f.Need("name", "expressions read facts.NAME")),
		Type:   d.valueType(f.Need("type", "type: int")),
		Source: d.Str(f.Get("source")),
		MaxAge: d.duration(f.Get("max_age")),
	}
	for _, item := range d.List(f.Get("by"), false) {
		where := d.path(item)
		if where.Value != "" && !strings.HasPrefix(where.Value, "args.") {
			d.Fail(item.Node, "want a path such as args.workload", "%s: %q is no argument", item.Name, where.Value)
			continue
		}
		if where.Value != "" {
			fact.By = append(fact.By, where.Value)
		}
	}
	return fact
}

func (d *decoder) derivedSpec(v value) DerivedSpec {
	f := d.Map(v, "derived.", "tool", "name", "type")
	return DerivedSpec{
		Tool: d.toolID(d.text(f.Need("tool", "tool: the tool's name, or server/name")), "derived.tool").String(),
		Name: d.memberName(f.Need("name", "expressions read derived.NAME")),
		Type: d.valueType(f.Need("type", "type: int")),
	}
}

// YAML returns the manifest as a document of kind Manifest, with the digest of
// every tool, for people to read and for [ParseManifest]. The same Manifest
// always gives the same bytes: its parts are sorted by name, except for record keys.
func (m Manifest) YAML() []byte {
	w := &yamlWriter{}
	w.b.WriteString("apiVersion: " + apiVersion + "\nkind: Manifest\n")
	for _, a := range sorted(w, "agents", m.Agents, func(a AgentSpec) string { return a.ID }) {
		w.item("id", a.ID)
		w.strings("environments", a.Environments)
		w.key("prompt", a.Prompt)
	}
	for _, t := range sorted(w, "tools", m.Tools, func(t Tool) string { return t.ID().String() }) {
		w.item("name", t.Name)
		w.key("server", t.Server)
		w.key("description", t.Description)
		w.json("schema", t.Schema)
		w.json("annotations", t.Annotations)
		w.key("digest", t.Digest())
	}
	for _, s := range sorted(w, "models", m.Models, func(s ModelSpec) string { return s.Provider + "\x00" + s.Name + "\x00" + s.Version }) {
		w.item("name", s.Name)
		w.key("provider", s.Provider)
		w.key("version", s.Version)
		w.key("basis", s.Basis)
	}
	for _, f := range sorted(w, "facts", m.Facts, func(f FactSpec) string { return f.Name }) {
		w.item("name", f.Name)
		w.key("type", f.Type)
		w.key("source", f.Source)
		if f.MaxAge > 0 {
			w.key("max_age", f.MaxAge.String())
		}
		w.strings("by", f.By)
	}
	for _, s := range sorted(w, "derived", m.Derived, func(s DerivedSpec) string { return s.Tool + "\x00" + s.Name }) {
		w.item("tool", s.Tool)
		w.key("name", s.Name)
		w.key("type", s.Type)
	}
	for _, e := range sorted(w, "estimators", m.Estimators, func(e EstimatorSpec) string { return e.Name }) {
		w.item("name", e.Name)
		w.key("currency", e.Currency)
	}
	if len(m.RecordKeys) > 0 { // in the order of their use
		w.b.WriteString("record_keys:\n")
	}
	for _, id := range m.RecordKeys {
		w.b.WriteString("  - " + yamldoc.Quote(id) + "\n")
	}
	return w.b.Bytes()
}

// sorted begins a list and returns its parts in the order of their names.
func sorted[T any](w *yamlWriter, key string, parts []T, name func(T) string) []T {
	if len(parts) > 0 {
		w.b.WriteString(key + ":\n")
	}
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	return parts
}

// yamlWriter writes lists of mappings.
type yamlWriter struct{ b bytes.Buffer }

// item begins an item of a list with its first key.
func (w *yamlWriter) item(key, text string) {
	fmt.Fprintf(&w.b, "  - %s: %s\n", key, yamldoc.Quote(text))
}

// key writes a key with a text, unless it is empty.
func (w *yamlWriter) key(key, text string) {
	if text != "" {
		fmt.Fprintf(&w.b, "    %s: %s\n", key, yamldoc.Quote(text))
	}
}

func (w *yamlWriter) strings(key string, texts []string) {
	if len(texts) == 0 {
		return
	}
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = yamldoc.Quote(t)
	}
	fmt.Fprintf(&w.b, "    %s: [%s]\n", key, strings.Join(quoted, ", "))
}

// json writes JSON as a block of text, indented for readers; JSON that cannot
// be indented, or with characters that must not stand in a file, as a quoted
// text.
func (w *yamlWriter) json(key string, raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(raw), "      ", "  "); err != nil || yamldoc.Unprintable(b.String()) {
		w.key(key, string(raw))
		return
	}
	fmt.Fprintf(&w.b, "    %s: |\n      %s\n", key, b.String())
}
