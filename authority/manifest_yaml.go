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
	for _, p := range problems {
		d.errs = append(d.errs, errorOf(p))
	}
	root := value{file.Root(), "the Manifest"}
	var m Manifest
	if kind := d.kind(root); kind == "Manifest" {
		m = d.manifest(root)
	} else if kind != "" {
		d.fail(at(root.Node, "kind"), "want Manifest", "the document is of kind %s", kind)
	}
	if len(d.errs) > 0 {
		return Manifest{}, sortErrors(d.errs)
	}
	return m, nil
}

func (d *decoder) manifest(root value) Manifest {
	f := d.fields(root, "", "apiVersion", "kind", "agents", "tools", "models", "facts", "derived", "estimators", "record_keys")
	var m Manifest
	seen := make(map[string]bool)
	once := func(n yamldoc.Node, list, name string) {
		if key := list + " " + name; name != "" && seen[key] {
			d.fail(n, "leave one out", "%s names %q twice", list, name)
		} else {
			seen[key] = true
		}
	}
	for _, item := range d.list(f.get("agents"), true) {
		a := d.agentSpec(item)
		once(at(item.Node, "id"), "agents", a.ID)
		m.Agents = append(m.Agents, a)
	}
	for _, item := range d.list(f.get("tools"), true) {
		t := d.toolSpec(item)
		once(at(item.Node, "name"), "tools", t.ID().String())
		m.Tools = append(m.Tools, t)
	}
	for _, item := range d.list(f.get("models"), true) {
		m.Models = append(m.Models, d.modelSpec(item))
	}
	for _, item := range d.list(f.get("facts"), true) {
		fact := d.factSpec(item)
		once(at(item.Node, "name"), "facts", fact.Name)
		m.Facts = append(m.Facts, fact)
	}
	for _, item := range d.list(f.get("derived"), true) {
		derived := d.derivedSpec(item)
		if derived.Tool != "" && derived.Name != "" {
			once(at(item.Node, "name"), "derived", derived.Tool+" "+derived.Name)
		}
		m.Derived = append(m.Derived, derived)
	}
	for _, item := range d.list(f.get("estimators"), true) {
		e := d.fields(item, "estimator.", "name", "currency")
		spec := EstimatorSpec{
			Name:     d.id(e.need("name", "classes name it as their estimator")).Value,
			Currency: d.currency(e.need("currency", "currency: EUR")),
		}
		once(at(item.Node, "name"), "estimators", spec.Name)
		m.Estimators = append(m.Estimators, spec)
	}
	for _, item := range d.list(f.get("record_keys"), true) {
		id := d.id(item).Value
		once(item.Node, "record_keys", id)
		m.RecordKeys = append(m.RecordKeys, id)
	}
	return m
}

func (d *decoder) agentSpec(v value) AgentSpec {
	f := d.fields(v, "agent.", "id", "environments", "prompt")
	return AgentSpec{
		ID:           d.id(f.need("id", "the id that the host gives to the agent")).Value,
		Environments: values(d.ids(f.get("environments"))),
		Prompt:       d.str(f.get("prompt")),
	}
}

func (d *decoder) toolSpec(v value) Tool {
	f := d.fields(v, "tool.", "server", "name", "description", "schema", "annotations", "digest")
	name := f.need("name", "name: the tool's own name")
	t := Tool{
		Server:      d.str(f.get("server")),
		Name:        d.str(name),
		Schema:      d.object(f.get("schema")),
		Annotations: d.object(f.get("annotations")),
	}
	if description := f.get("description"); !description.IsZero() {
		t.Description, _ = d.scalar(description, "a text")
	}
	if t.Name != "" {
		if err := t.ID().Validate(); err != nil {
			d.fail(name.Node, "", "%v", err)
		}
	}
	given := f.get("digest")
	if digest := d.digest(given); digest != "" && digest != t.Digest() {
		d.fail(given.Node, "write "+t.Digest()+", or leave the key out", "tool.digest is not the digest of what the manifest says of the tool")
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
		s, _ := d.scalar(v, "a JSON object")
		raw = json.RawMessage(strings.TrimSpace(s))
	}
	if len(raw) == 0 {
		return nil
	}
	if raw[0] != '{' || !json.Valid(raw) {
		d.fail(v.Node, `want a JSON object such as {"type": "object"}`, "%s is no JSON object", v.name)
		return nil
	}
	return raw
}

func (d *decoder) modelSpec(v value) ModelSpec {
	f := d.fields(v, "model.", "provider", "name", "version", "basis")
	return ModelSpec{
		Provider: d.str(f.get("provider")),
		Name:     d.str(f.need("name", "name: the model's own name")),
		Version:  d.str(f.get("version")),
		Basis:    d.oneOf(f.need("basis", "basis: reported, configured or asserted"), "reported", "configured", "asserted"),
	}
}

var memberName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// memberName reads the name of a fact or a derived value as expressions write it.
func (d *decoder) memberName(v value) string {
	s := d.str(v)
	if s != "" && !memberName.MatchString(s) {
		d.fail(v.Node, "want letters, digits and '_', and no digit first", "%s is %q, which no expression can name", v.name, s)
		return ""
	}
	return s
}

func (d *decoder) valueType(v value) string {
	s := d.str(v)
	if s == "" {
		return ""
	}
	t, err := strictjson.ParseType(s)
	if err != nil {
		d.fail(v.Node, "", "%s: %v", v.name, err)
		return ""
	}
	return t.String()
}

func (d *decoder) factSpec(v value) FactSpec {
	f := d.fields(v, "fact.", "name", "type", "source", "max_age", "by")
	fact := FactSpec{
		Name:   d.memberName(f.need("name", "expressions read facts.NAME")),
		Type:   d.valueType(f.need("type", "type: int")),
		Source: d.str(f.get("source")),
		MaxAge: d.duration(f.get("max_age")),
	}
	for _, item := range d.list(f.get("by"), false) {
		where := d.path(item)
		if where.Value != "" && !strings.HasPrefix(where.Value, "args.") {
			d.fail(item.Node, "want a path such as args.workload", "%s: %q is no argument", item.name, where.Value)
			continue
		}
		if where.Value != "" {
			fact.By = append(fact.By, where.Value)
		}
	}
	return fact
}

func (d *decoder) derivedSpec(v value) DerivedSpec {
	f := d.fields(v, "derived.", "tool", "name", "type")
	return DerivedSpec{
		Tool: d.toolID(d.text(f.need("tool", "tool: the tool's name, or server/name")), "derived.tool").String(),
		Name: d.memberName(f.need("name", "expressions read derived.NAME")),
		Type: d.valueType(f.need("type", "type: int")),
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
