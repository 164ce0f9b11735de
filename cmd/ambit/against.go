package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// testimony is what a telemetry backend holds of journals: the hash of each
// record whose span it has.
type testimony struct {
	spans int
	of    map[string]map[uint64][]testified // by journal and number
}

// testified is what one span says of its record.
type testified struct {
	hash, span string
	found      bool
}

// compared is how a journal and a backend agree. Its JSON form is stable.
type compared struct {
	Journal string      `json:"journal"`
	Same    int         `json:"same"`    // records that are the same in both
	NotYet  []recordRun `json:"not_yet"` // records behind the last one that the backend has
	Absent  []recordRun `json:"absent"`  // records before it that the backend does not have
	Retired int         `json:"retired"` // records of the backend from before the first that is here
	Unknown int         `json:"unknown"` // records of the backend, of a journal that is not here
}

// recordRun is a run of records that a backend lacks; those without spans between
// them are not counted.
type recordRun struct {
	From    uint64 `json:"from"`
	To      uint64 `json:"to"`
	Records int    `json:"records"`
}

// testimonies reads the spans that a backend holds: OTLP as JSON, one message or
// many, as the Collector's file exporter, Tempo and Jaeger's API v3 give it, or the
// answer of Jaeger's /api/traces.
func testimonies(files []string) (*testimony, error) {
	w := &testimony{of: make(map[string]map[uint64][]testified)}
	for _, name := range files {
		before := w.spans
		if err := w.read(name); err != nil {
			return nil, err
		}
		if w.spans == before {
			return nil, fmt.Errorf("%s: no evidence span in it: want spans of otelx.NewDelivery as OTLP JSON, or the answer of Jaeger's /api/traces", name)
		}
	}
	return w, nil
}

func (w *testimony) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := json.NewDecoder(f)
	in.UseNumber()
	for {
		var v any
		if err := in.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: byte %d: it is not JSON: %w", name, in.InputOffset(), err)
		}
		if err := w.visit(v); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
}

// visit looks for spans at any depth: the formats differ in what is around them.
func (w *testimony) visit(v any) error {
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			if err := w.visit(inner); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := w.span(v); err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := w.visit(v[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// The attributes of a span that say where its record stands, as otelx names them.
const (
	journalID   = "ambit.journal.id"
	journalSeq  = "ambit.journal.seq"
	journalHash = "ambit.journal.hash"
)

// span takes what an object says of a record, if it is an evidence span.
func (w *testimony) span(v map[string]any) error {
	said := attributesOf(v)
	if _, ok := said[journalHash]; !ok {
		return nil
	}
	name, _ := v["name"].(string)
	if name == "" {
		name, _ = v["operationName"].(string)
	}
	seq, err := strconv.ParseUint(said[journalSeq], 10, 64)
	if err != nil || said[journalID] == "" {
		return fmt.Errorf("span %q says the hash of its record, and not %s and %s", name, journalID, journalSeq)
	}
	w.spans++
	records := w.of[said[journalID]]
	if records == nil {
		records = make(map[uint64][]testified)
		w.of[said[journalID]] = records
	}
	if !slices.ContainsFunc(records[seq], func(t testified) bool { return t.hash == said[journalHash] }) {
		records[seq] = append(records[seq], testified{hash: said[journalHash], span: name})
	}
	return nil
}

// attributesOf returns the texts and numbers among the attributes of OTLP, or the tags of
// Jaeger.
func attributesOf(span map[string]any) map[string]string {
	list, ok := span["attributes"].([]any)
	if !ok {
		if list, ok = span["tags"].([]any); !ok {
			return nil
		}
	}
	said := make(map[string]string)
	for _, entry := range list {
		kv, _ := entry.(map[string]any)
		key, _ := kv["key"].(string)
		value := kv["value"]
		if typed, ok := value.(map[string]any); ok {
			value = cmp.Or(typed["stringValue"], typed["intValue"])
		}
		switch value := value.(type) {
		case string:
			said[key] = value
		case json.Number:
			said[key] = value.String()
		}
	}
	return said
}

// compare reads records and says how a backend agrees with them. The problems
// are those that only a change of a journal, or a wrong path, explains.
func (w *testimony) compare(others bool, entries iter.Seq2[journal.Entry, error]) (all []compared, problems []error) {
	byID := make(map[string]*comparison)
	var order []*comparison
	for e, err := range entries {
		if err != nil {
			continue // Verify has said it
		}
		id := e.Envelope.Journal
		c := byID[id]
		if c == nil {
			c = &comparison{compared: compared{Journal: id, NotYet: []recordRun{}, Absent: []recordRun{}}, backend: w.of[id], first: e.Envelope.Seq}
			byID[id] = c
			order = append(order, c)
		}
		problems = append(problems, c.entry(e)...)
	}
	for _, c := range order {
		problems = append(problems, c.end()...)
		all = append(all, c.compared)
	}
	for _, id := range slices.Sorted(maps.Keys(w.of)) {
		if byID[id] != nil {
			continue
		}
		all = append(all, compared{Journal: id, NotYet: []recordRun{}, Absent: []recordRun{}, Unknown: len(w.of[id])})
		if !others {
			problems = append(problems, fmt.Errorf("journal %s: the backend has %s of it, and no PATH holds it: give its folder too, or -others if it is none of these hosts'",
				rationale.Printable(id), count(len(w.of[id]), "record")))
		}
	}
	return all, problems
}

// comparison is that of one journal.
type comparison struct {
	compared
	backend     map[uint64][]testified
	first, last uint64
	lacking     []uint64 // records with a span that the backend does not have
}

func (c *comparison) entry(e journal.Entry) (problems []error) {
	c.last = e.Envelope.Seq
	said := c.backend[e.Envelope.Seq]
	for i := range said {
		said[i].found = true
		if said[i].hash == e.Hash {
			c.Same++
			continue
		}
		problems = append(problems, fmt.Errorf("%s: byte %d: record %d of journal %s is another than the one that the backend has as %q: its hash is %s, and there %s",
			e.File, e.Offset, e.Envelope.Seq, rationale.Printable(c.Journal), said[i].span, e.Hash, rationale.Printable(said[i].hash)))
	}
	if len(said) == 0 && hasSpan(e.Record) {
		c.lacking = append(c.lacking, e.Envelope.Seq)
	}
	return problems
}

// hasSpan reports whether a record gives a span of its own. That of a document
// that is loaded is the document's, and many records share it.
func hasSpan(rec rationale.Record) bool {
	switch r := rec.(type) {
	case *rationale.Decision, *rationale.Outcome, *rationale.Approval, *rationale.Review:
		return true
	case *rationale.Lifecycle:
		return r.Authorization != nil && r.Event != rationale.EventLoaded
	}
	return false
}

// end judges what the backend has and the journal does not, and the reverse.
func (c *comparison) end() (problems []error) {
	highest := uint64(0)
	for _, seq := range slices.Sorted(maps.Keys(c.backend)) {
		highest = seq
		for _, said := range c.backend[seq] {
			switch {
			case said.found:
			case seq < c.first:
				c.Retired++
			case seq > c.last:
				problems = append(problems, fmt.Errorf("journal %s ends with record %d, and the backend has record %d as %q (%s): the end was cut off",
					rationale.Printable(c.Journal), c.last, seq, said.span, rationale.Printable(said.hash)))
			default:
				problems = append(problems, fmt.Errorf("journal %s has no record %d that can be read, and the backend has it as %q (%s)",
					rationale.Printable(c.Journal), seq, said.span, rationale.Printable(said.hash)))
			}
		}
	}
	run := func(runs []recordRun, seq uint64, joined bool) []recordRun {
		if n := len(runs); joined && n > 0 {
			runs[n-1].To, runs[n-1].Records = seq, runs[n-1].Records+1
			return runs
		}
		return append(runs, recordRun{seq, seq, 1})
	}
	last := uint64(0)
	for _, seq := range c.lacking {
		if seq > highest {
			c.NotYet = run(c.NotYet, seq, true)
			continue
		}
		c.Absent = run(c.Absent, seq, !c.backendBetween(last, seq))
		last = seq
	}
	return problems
}

// backendBetween reports whether the backend has a record between two others.
func (c *comparison) backendBetween(from, to uint64) bool {
	for seq := from + 1; seq < to; seq++ {
		if len(c.backend[seq]) > 0 {
			return true
		}
	}
	return false
}

// comparedTable prints how a backend agrees with journals.
func (t *terminal) comparedTable(w *testimony, all []compared) {
	b := &table{head: []string{"JOURNAL", "SAME AT BACKEND", "NOT YET THERE", "ABSENT THERE", "RETIRED HERE", "UNKNOWN HERE"}}
	for _, c := range all {
		b.add(c.Journal, strconv.Itoa(c.Same), runs(c.NotYet), runs(c.Absent), strconv.Itoa(c.Retired), strconv.Itoa(c.Unknown))
	}
	fmt.Fprintf(t.out, "Compared with %s of a backend.\n\n", count(w.spans, "span"))
	b.write(t, t.out)
	fmt.Fprintln(t.out)
	absent := false
	for _, c := range all {
		absent = absent || len(c.Absent) > 0
	}
	if absent {
		fmt.Fprintln(t.out, "Absent records were rejected by the backend (see delivery-*.rejected in the evidence folder), or it keeps them for less time, or the export of its spans is not complete.")
	}
}

// runs writes runs of records: how many, and the first few places.
func runs(list []recordRun) string {
	const shown = 3
	total, text := 0, ""
	for i, r := range list {
		total += r.Records
		switch {
		case i >= shown:
		case r.From == r.To:
			text += fmt.Sprintf(", %d", r.From)
		default:
			text += fmt.Sprintf(", %d to %d", r.From, r.To)
		}
	}
	if total == 0 {
		return "0"
	}
	if len(list) > shown {
		text += ", …"
	}
	return fmt.Sprintf("%d (%s)", total, text[2:])
}
