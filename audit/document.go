package audit

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

// Document is what an Audit document says: whose acts are looked at, where the
// event logs and the records are, and which events a tool's calls make. It is
// immutable once loaded.
type Document struct {
	ID string

	agents  []agent
	records []string // paths of journals, as they can be opened
	logs    []log
	state   string // path of the state that runs leave; empty: none
	also    []pattern
	except  []pattern
	tools   []toolEvents
	times   times
	since   time.Time
	until   time.Time
	// Values of events, and arguments of calls, that are compared: paths by index.
	paths, arguments []string
}

// agent is one of the agents, and the names that event logs have for it.
type agent struct {
	id         string
	principals []pattern
}

// Format names what wrote an event log.
type Format string

const (
	// CloudTrail is AWS CloudTrail: objects in {"Records": […]}, in an array, or
	// one to a line.
	CloudTrail Format = "cloudtrail"
	// Kubernetes is the audit log of an API server, audit.k8s.io: one event to a
	// line. The stages of a request are one event.
	Kubernetes Format = "kubernetes"
	// Lines are JSON objects, one to a line, that the document's mapping explains.
	Lines Format = "lines"
)

// log is one source of events.
type log struct {
	name    string
	format  Format
	paths   []string
	delay   time.Duration // until an event is delivered, at most
	silence time.Duration // a longer one is a gap; 0: any is normal
	keys    []string      // paths of values that can name a decision, the strongest first
	mapping *mapping      // of Lines
}

// toolEvents are the events that the calls of one tool make.
type toolEvents struct {
	tool    string    // server/name, or name
	classes []pattern // of decisions; none: all
	events  []toolEvent
}

// toolEvent is one of them.
type toolEvent struct {
	action   pattern
	fanOut   int // different acts of that kind that one decision can make
	attempts int // events of one act: the first, and retries
	match    []comparison
	compare  []comparison
}

// comparison is a value of an event beside the argument that it comes from.
type comparison struct {
	event    int // index of Document.paths
	argument int // index of Document.arguments
	rule     rule
}

// rule says how an event's value must compare with the argument.
type rule string

const (
	equal   rule = "equal"
	atMost  rule = "at_most"
	atLeast rule = "at_least"
)

// times are how far apart things may be that belong together.
type times struct {
	window time.Duration // between the end of a call and an event that is joined weakly
	skew   time.Duration // of clocks
	late   time.Duration // between a call and an event that carries its key
}

// Defaults of a document.
const (
	defaultDelay    = 15 * time.Minute // as CloudTrail's documentation says
	defaultWindow   = 5 * time.Minute
	defaultSkew     = 30 * time.Second
	defaultLate     = 24 * time.Hour
	defaultAttempts = 3 // as the cloud's own clients have it
	minSilence      = time.Minute
)

// Load reads an Audit document. Paths in it are relative to the folder of name.
// The error lists everything wrong with it, as *[authority.Error] with places.
func Load(name string, data []byte) (*Document, error) {
	file, problems := yamldoc.Parse(name, data)
	d := decoder{dir: filepath.Dir(name)}
	d.Problems = problems
	doc := &Document{}
	if !file.Root().IsZero() {
		doc = d.document(yamldoc.Named(file.Root(), "the document"))
	}
	if len(d.Problems) > 0 {
		return nil, d.errors()
	}
	return doc, nil
}

// Journals returns the folders, or files, of the records that are looked at.
func (d *Document) Journals() []string { return slices.Clone(d.records) }

// tool returns what the document says of a decision's tool; nil: nothing.
func (d *Document) tool(name, class string) *toolEvents {
	for i := range d.tools {
		t := &d.tools[i]
		if t.tool == name && (len(t.classes) == 0 || anyMatches(t.classes, class)) {
			return t
		}
	}
	return nil
}

// behind reports whether another entry, which is asked first, leaves nothing of this one.
func (t *toolEvents) behind(other toolEvents) bool {
	if t.tool != other.tool || len(other.classes) == 0 {
		return t.tool == other.tool && t.tool != ""
	}
	return len(t.classes) > 0 && !slices.ContainsFunc(t.classes, func(c pattern) bool { return !anyMatches(other.classes, string(c)) })
}

// event returns the index of the event that an action is; -1: none.
func (t *toolEvents) event(action string) int {
	for i := range t.events {
		if t.events[i].action.matches(action) {
			return i
		}
	}
	return -1
}
