package rationale

import (
	"encoding/base64"
	stdjson "encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The methods below write the records of every call, member by member in
// canonical order. Which members there are, and when one is left out, the tags
// of the records' types say: a test compares both.

func (w *writer) decision(d *Decision) {
	w.raw("{")
	w.optional("action_digest", d.ActionDigest)
	w.key("agent")
	w.agent(&d.Agent)
	w.optional("approval", d.Approval)
	w.json("arguments", d.Arguments)
	w.optional("arguments_digest", d.ArgumentsDigest)
	w.time("at", d.At)
	if d.Authorization != nil {
		w.key("authorization")
		w.authorization(d.Authorization)
	}
	w.member("base_tier", d.BaseTier.String())
	w.optional("call_id", d.CallID)
	writeList(w, "checks", d.Checks, (*writer).check)
	w.optional("class", d.Class)
	if !d.CountedAt.IsZero() {
		w.time("counted_at", d.CountedAt)
	}
	writeList(w, "derived", d.Derived, (*writer).fact)
	w.optional("domain", d.Domain)
	w.optional("effect", d.Effect)
	writeList(w, "facts", d.Facts, (*writer).fact)
	w.host(&d.Host)
	w.member("id", d.ID)
	writeTexts(w, "keyed", d.Keyed, true)
	w.member("kind", string(KindDecision))
	if !d.Lease.IsZero() {
		w.time("lease", d.Lease)
	}
	writeList(w, "limits", d.Limits, (*writer).limit)
	w.member("mode", d.Mode.String())
	w.model(&d.Model)
	w.optional("parent", d.Parent)
	w.prompt(&d.Prompt)
	w.rationale(d.Rationale)
	w.rationaleCheck(d.RationaleCheck)
	writeTexts(w, "reasons", d.Reasons, false)
	if r := d.Review; r != nil {
		w.key("review")
		w.raw("{")
		writeTexts(w, "by", r.By, false)
		w.time("due", r.Due)
		writeTexts(w, "not_by", r.NotBy, true)
		w.member("reason", r.Reason)
		w.raw("}")
	}
	w.sealed(d.Sealed)
	w.spend(d.Spend)
	w.member("standing", d.Standing.String())
	writeTexts(w, "telemetry", d.Telemetry, true)
	if t := d.Ticket; t != nil {
		w.key("ticket")
		w.raw("{")
		writeTexts(w, "by", t.By, false)
		if t.Capped {
			w.boolean("capped", true)
		}
		writeList(w, "ceilings", t.Ceilings, (*writer).ceiling)
		w.time("expires", t.Expires)
		w.integer("quorum", int64(t.Quorum))
		w.raw("}")
	}
	w.member("tier", d.Tier.String())
	w.key("tool")
	w.tool(&d.Tool)
	w.member("verdict", d.Verdict.String())
	if d.Would != nil {
		w.member("would", d.Would.String())
	}
	w.raw("}")
}

func (w *writer) ceiling(c *Ceiling) {
	w.raw("{")
	w.member("currency", c.Currency)
	w.optional("group", c.Group)
	w.optional("person", c.Person)
	w.member("up_to", c.UpTo)
	w.raw("}")
}

func (w *writer) outcome(o *Outcome) {
	w.raw("{")
	w.time("at", o.At)
	w.member("decision", o.Decision)
	w.optional("effect_id", o.Effect)
	w.optional("error", o.Error)
	w.optional("error_type", o.ErrorType)
	w.member("id", o.ID)
	w.member("kind", string(KindOutcome))
	if o.ResultBytes != 0 {
		w.integer("result_bytes", o.ResultBytes)
	}
	w.optional("result_digest", o.ResultDigest)
	w.sealed(o.Sealed)
	w.optional("spent", o.Spent)
	w.time("started", o.Started)
	w.member("status", string(o.Status))
	w.raw("}")
}

func (w *writer) sealed(s *Sealed) {
	if s == nil {
		return
	}
	w.key("sealed")
	w.raw("{")
	w.key("data")
	w.raw(`"`)
	w.out = base64.StdEncoding.AppendEncode(w.out, s.Data)
	w.raw(`"`)
	w.member("key", s.Key)
	w.raw("}")
}

func (w *writer) agent(a *Agent) {
	w.raw("{")
	w.member("environment", a.Environment)
	w.member("id", a.ID)
	w.optional("on_behalf_of", a.OnBehalfOf)
	w.optional("session", a.Session)
	w.raw("}")
}

func (w *writer) model(m *Model) {
	if *m == (Model{}) {
		return
	}
	w.key("model")
	w.raw("{")
	w.optional("basis", m.Basis)
	w.optional("name", m.Name)
	w.optional("pin", string(m.Pin))
	w.optional("provider", m.Provider)
	w.optional("version", m.Version)
	w.raw("}")
}

func (w *writer) prompt(p *Prompt) {
	if *p == (Prompt{}) {
		return
	}
	w.key("prompt")
	w.raw("{")
	w.optional("digest", p.Digest)
	w.optional("pin", string(p.Pin))
	w.raw("}")
}

func (w *writer) tool(t *Tool) {
	w.raw("{")
	w.optional("digest", t.Digest)
	w.member("name", t.Name)
	w.optional("pin", string(t.Pin))
	w.optional("server", t.Server)
	w.raw("}")
}

func (w *writer) host(h *TraceContext) {
	if *h == (TraceContext{}) {
		return
	}
	w.key("host")
	w.raw("{")
	if h.Flags != 0 {
		w.integer("flags", int64(h.Flags))
	}
	w.optional("span_id", h.SpanID)
	w.optional("state", h.State)
	w.optional("trace_id", h.TraceID)
	w.raw("}")
}

func (w *writer) authorization(a *AuthorizationRef) {
	w.raw("{")
	w.optional("body", a.Body)
	writeTexts(w, "controls", a.Controls, true)
	w.member("digest", a.Digest)
	w.time("expires", a.Expires)
	w.time("granted_at", a.GrantedAt)
	writeTexts(w, "granted_by", a.GrantedBy, true)
	w.member("id", a.ID)
	w.optional("matrix", a.Matrix)
	w.time("next_review", a.NextReview)
	w.member("owner", a.Owner)
	w.optional("record", a.Record)
	if a.Unsigned {
		w.boolean("unsigned", true)
	}
	w.integer("version", int64(a.Version))
	w.raw("}")
}

func (w *writer) check(c *Check) {
	w.raw("{")
	w.member("id", c.ID)
	writeList(w, "inputs", c.Inputs, (*writer).input)
	w.member("kind", string(c.Kind))
	w.optional("message", c.Message)
	w.optional("reason", string(c.Reason))
	w.member("result", string(c.Result))
	if c.To != 0 {
		w.member("to", c.To.String())
	}
	w.optional("why", c.Why)
	w.optional("within", c.Within)
	w.raw("}")
}

func (w *writer) limit(l *Limit) {
	w.raw("{")
	w.optional("cost_centre", l.CostCentre)
	w.optional("currency", l.Currency)
	if !l.From.IsZero() {
		w.time("from", l.From)
	}
	w.member("id", l.ID)
	w.member("kind", string(l.Kind))
	w.member("max", l.Max)
	w.member("per", l.Per)
	if !l.Until.IsZero() {
		w.time("until", l.Until)
	}
	w.optional("zone", l.Zone)
	w.raw("}")
}

func (w *writer) input(in *Input) {
	w.raw("{")
	w.optional("digest", in.Digest)
	w.member("path", in.Path)
	w.json("value", in.Value)
	w.raw("}")
}

func (w *writer) fact(f *Fact) {
	w.raw("{")
	if !f.At.IsZero() {
		w.time("at", f.At)
	}
	w.optional("digest", f.Digest)
	w.optional("error", f.Error)
	w.member("name", f.Name)
	w.optional("source", f.Source)
	w.json("value", f.Value)
	w.raw("}")
}

func (w *writer) spend(s *Spend) {
	if s == nil {
		return
	}
	w.key("spend")
	w.raw("{")
	w.optional("amount", s.Amount)
	w.member("basis", s.Basis)
	w.optional("cost_centre", s.CostCentre)
	w.member("currency", s.Currency)
	w.optional("limit", s.Limit)
	if s.Observed {
		w.boolean("observed", true)
	}
	w.optional("price", s.Price)
	w.optional("price_list", s.PriceList)
	w.optional("quantity", s.Quantity)
	w.optional("top", s.Top)
	w.optional("unit", s.Unit)
	w.raw("}")
}

func (w *writer) rationale(r *Rationale) {
	if r == nil {
		return
	}
	w.key("rationale")
	w.raw("{")
	writeList(w, "alternatives", r.Alternatives, (*writer).alternative)
	writeTexts(w, "evidence", r.Evidence, true)
	w.optional("expected", r.Expected)
	w.optional("fallback", r.Fallback)
	w.optional("purpose", r.Purpose)
	w.optional("reasoning", r.Reasoning)
	w.optional("source", r.Source)
	w.optional("text", r.Text)
	w.optional("uncertainty", r.Uncertainty)
	w.raw("}")
}

func (w *writer) alternative(a *Alternative) {
	w.raw("{")
	w.member("option", a.Option)
	w.member("rejected", a.Rejected)
	w.raw("}")
}

func (w *writer) rationaleCheck(c *RationaleCheck) {
	if c == nil {
		return
	}
	w.key("rationale_check")
	w.raw("{")
	w.boolean("complete", c.Complete)
	writeTexts(w, "found", c.Found, true)
	writeTexts(w, "links", c.Links, true)
	w.optional("malformed", c.Malformed)
	writeTexts(w, "missing", c.Missing, true)
	writeTexts(w, "not_found", c.NotFound, true)
	writeTexts(w, "required", c.Required, true)
	w.raw("}")
}

// raw appends text as it is.
func (w *writer) raw(text string) { w.out = append(w.out, text...) }

// key appends a member's name, which needs no escape, after a comma unless it
// is the first of its object.
func (w *writer) key(name string) {
	if w.out[len(w.out)-1] != '{' {
		w.out = append(w.out, ',')
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, '"', ':')
}

// member appends a member that is a string.
func (w *writer) member(name, text string) {
	w.key(name)
	w.text(text)
}

// optional is member unless the string is empty.
func (w *writer) optional(name, text string) {
	if text != "" {
		w.member(name, text)
	}
}

func (w *writer) integer(name string, n int64) {
	w.key(name)
	w.out = strconv.AppendInt(w.out, n, 10)
}

func (w *writer) boolean(name string, b bool) {
	w.key(name)
	w.out = strconv.AppendBool(w.out, b)
}

// json appends a member that is JSON, unless it is nil.
func (w *writer) json(name string, value stdjson.RawMessage) {
	if value != nil {
		w.key(name)
		w.document(value)
	}
}

// time appends a time in UTC. One outside the years 0 to 9999 is an error.
func (w *writer) time(name string, t time.Time) {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		w.failed = true
		return
	}
	w.key(name)
	w.raw(`"`)
	w.out = t.AppendFormat(w.out, time.RFC3339Nano)
	w.raw(`"`)
}

// text appends a string. One that is not valid UTF-8 is an error.
func (w *writer) text(s string) {
	w.out = append(w.out, '"')
	plain := plainASCII(s)
	if plain == len(s) {
		w.out = append(w.out, s...)
		w.out = append(w.out, '"')
		return
	}
	start := 0
	for i := plain; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		w.out = append(w.out, s[start:i]...)
		w.out = append(w.out, '\\')
		start = i + 1
		if short := strings.IndexByte("\"\\\b\f\n\r\t", c); short >= 0 {
			w.out = append(w.out, `"\bfnrt`[short])
		} else {
			w.out = append(w.out, 'u', '0', '0', "01"[c>>4], "0123456789abcdef"[c&0xf])
		}
	}
	w.out = append(w.out, s[start:]...)
	w.out = append(w.out, '"')
	w.failed = w.failed || !utf8.ValidString(s)
}

// writeTexts appends a member that is a list of strings; without elements an
// empty list, or nothing where it is optional.
func writeTexts[T ~string](w *writer, name string, list []T, optional bool) {
	if optional && len(list) == 0 {
		return
	}
	w.key(name)
	w.raw("[")
	for i, s := range list {
		if i > 0 {
			w.raw(",")
		}
		w.text(string(s))
	}
	w.raw("]")
}

// writeList is writeTexts for elements that write appends; nothing without
// elements.
func writeList[T any](w *writer, name string, list []T, write func(*writer, *T)) {
	if len(list) == 0 {
		return
	}
	w.key(name)
	w.raw("[")
	for i := range list {
		if i > 0 {
			w.raw(",")
		}
		write(w, &list[i])
	}
	w.raw("]")
}
