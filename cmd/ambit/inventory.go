package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const inventoryHelp = `
Usage: ambit inventory DIR [-manifest FILE] [-o table|json|md]

Lists for every agent, tool and class: tier, owner, who approved it, in which body,
when, until when, the next review, and the standing. Tools that run without a class,
and whatever else is provisionally unauthorized, are listed with the reason.

DIR holds documents, or records: then the inventory is of the documents and the
manifest that each agent's newest host in the records had loaded.

Exits with 0 when everything is authorized, 1 when something is provisionally
unauthorized, 2 on misuse.
`

func inventory(t *terminal, args []string) int {
	f := newFlags(t, "inventory", inventoryHelp)
	pf := addPolicyFlags(f)
	out := f.output("table", "json", "md")
	rest, code := f.parse(args, "one folder of documents or records", 1, 1)
	if code >= 0 {
		return code
	}
	at, err := pf.time()
	if err == nil {
		err = oneOf(*out, "table", "json", "md")
	}
	if err != nil {
		return f.misuse(err.Error())
	}
	hosts, err := t.hosts(pf, rest[0])
	if err != nil {
		return f.policyError(err)
	}
	var entries []authority.Entry
	for _, h := range hosts {
		set, err := pf.load(h.policy)
		if err != nil {
			return f.policyError(err)
		}
		for _, e := range set.Inventory(at) {
			if h.agent.ID == "" || (e.Agent == h.agent.ID && e.Environment == h.agent.Environment) {
				entries = append(entries, e)
			}
		}
	}
	return t.inventory(entries, at, *out)
}

// host is what one host runs, and for which agent; for any, where it is not
// read from records.
type host struct {
	agent  rationale.Agent
	policy policy
	loaded []*rationale.Lifecycle // that say so; none, where it is not read from records
}

// hosts reads what the records of a folder had loaded, or, where it holds no
// records, the documents in it.
func (t *terminal) hosts(pf policyFlags, dir string) ([]host, error) {
	if journal.Exists(dir) {
		return recordedHosts(dir, journal.Read(dir))
	}
	read, err := pf.read(dir)
	return []host{{policy: read}}, err
}

var errNoDocuments = errors.New("it holds no record of a loaded document")

// recordedHosts rebuilds, for each agent, what the latest process that ran it had
// loaded.
func recordedHosts(dir string, records iter.Seq2[journal.Entry, error]) ([]host, error) {
	found := make(map[rationale.Agent]*recordedHost)
	process := 0
	for entry, err := range records {
		switch {
		case err != nil && journal.Torn(err):
			continue // its writer is at work, or stopped there
		case err != nil:
			return nil, err
		}
		l, ok := entry.Record.(*rationale.Lifecycle)
		if !ok {
			continue
		}
		if l.Event == rationale.EventOpened || l.Event == rationale.EventRepaired {
			process++
		}
		h := found[l.Agent]
		if h == nil || h.process != process {
			h = h.next(dir, process)
			found[l.Agent] = h
		}
		if err := h.apply(l); err != nil {
			return nil, err
		}
	}
	var hosts []host
	for agent, h := range found {
		h.policy.past = slices.Collect(maps.Values(h.past))
		var loaded []*rationale.Lifecycle
		for _, name := range slices.Sorted(maps.Keys(h.loaded)) {
			l := h.loaded[name]
			loaded = append(loaded, l)
			h.policy.docs = append(h.policy.docs, authority.Document{Name: l.Document, Data: l.Bytes, Signature: l.Signature})
		}
		if len(loaded) > 0 {
			hosts = append(hosts, host{agent, h.policy, loaded})
		}
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, errNoDocuments)
	}
	slices.SortFunc(hosts, func(a, b host) int {
		return cmp.Or(cmp.Compare(a.agent.ID, b.agent.ID), cmp.Compare(a.agent.Environment, b.agent.Environment))
	})
	return hosts, nil
}

// recordedHost is a host as the records of one process tell of it.
type recordedHost struct {
	dir     string
	process int
	loaded  map[string]*rationale.Lifecycle
	policy  policy

	// What it keeps to, whatever it has loaded since, by its digest: revocations, and
	// versions of authorizations, of these also what the processes before had.
	past map[string]*rationale.Lifecycle
}

// next returns the host as a later process, of which there is no record yet.
func (h *recordedHost) next(dir string, process int) *recordedHost {
	next := &recordedHost{dir: dir, process: process, loaded: make(map[string]*rationale.Lifecycle), past: make(map[string]*rationale.Lifecycle)}
	if h != nil {
		maps.Copy(next.past, h.past)
		maps.DeleteFunc(next.past, func(_ string, l *rationale.Lifecycle) bool { return l.Event == rationale.EventRevoked })
	}
	return next
}

func (h *recordedHost) apply(l *rationale.Lifecycle) (err error) {
	switch l.Event {
	case rationale.EventLoaded, rationale.EventRevoked, rationale.EventSuspended:
		if l.Bytes != nil {
			h.loaded[l.Document] = l
		}
		if l.Bytes != nil && (l.Event == rationale.EventRevoked || l.Authorization != nil) {
			h.past[l.Digest] = l
		}
		// The host itself found it unsigned: it does not allow that.
		h.policy.strict = h.policy.strict || l.Standing == rationale.StandingUnsigned
	case rationale.EventUnloaded:
		// A new version under the same name was loaded before the old one left.
		if d, ok := h.loaded[l.Document]; ok && (l.Digest == "" || rationale.Digest(d.Bytes) == l.Digest) {
			delete(h.loaded, l.Document)
		}
	case rationale.EventManifest:
		h.policy.manifest, err = authority.ParseManifest("manifest in "+h.dir, l.Bytes)
		h.policy.checked = err == nil
	}
	return err
}

func (t *terminal) inventory(entries []authority.Entry, at time.Time, out string) int {
	provisional := 0
	for _, e := range entries {
		if e.Provisional != "" {
			provisional++
		}
	}
	switch out {
	case "json":
		for _, e := range entries {
			line, err := json.Marshal(e)
			if err != nil {
				fmt.Fprintf(t.err, "ambit inventory: %v\n", err)
				return exitUsage
			}
			fmt.Fprintln(t.out, terminalJSON(line))
		}
	case "md":
		inventoryTable(entries).markdown(t.out)
	default:
		inventoryTable(entries).write(t, t.out)
		fmt.Fprintf(t.out, "\n%s as of %s, %d provisionally unauthorized\n", countEntries(len(entries)), at.Format(time.RFC3339), provisional)
	}
	if provisional > 0 {
		return exitFailed
	}
	return exitOK
}

func countEntries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func inventoryTable(entries []authority.Entry) *table {
	b := &table{head: []string{
		"AGENT", "ENV", "TOOL", "CLASS", "TIER", "OWNER", "APPROVED BY", "BODY", "GRANTED", "EXPIRES", "NEXT REVIEW", "STANDING", "WHY NOT",
	}}
	for _, e := range entries {
		ref := e.Authorization
		if ref == nil {
			ref = &rationale.AuthorizationRef{}
		}
		standing := e.Standing.String()
		if ref.Unsigned && e.Provisional == "" {
			standing += " (unsigned)"
		}
		if e.Provisional != "" {
			standing = "provisionally unauthorized (" + standing + ")"
		}
		class := e.Class
		if e.Conditional {
			class += " (when)"
		}
		tool := e.Tool
		if !e.Running {
			tool += " (not running)"
		}
		b.add(e.Agent, e.Environment, tool, class, e.Tier, e.Owner, strings.Join(ref.GrantedBy, ", "), ref.Body,
			day(ref.GrantedAt), day(ref.Expires), day(ref.NextReview), standing, e.Provisional)
	}
	return b
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
