package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
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
manifest that the newest host in the records had loaded.

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
	read, err := inventoryPolicy(pf, rest[0])
	if err != nil {
		return t.policyError(err)
	}
	set, err := pf.load(read)
	if err != nil {
		return t.policyError(err)
	}
	return t.inventory(set.Inventory(at), at, *out)
}

// inventoryPolicy reads what the records of a folder had loaded, or, where it
// holds no records, the documents in it.
func inventoryPolicy(pf policyFlags, dir string) (policy, error) {
	journals, err := filepath.Glob(filepath.Join(dir, "*"+journal.Extension))
	if err != nil {
		return policy{}, err
	}
	if len(journals) > 0 {
		return recordedPolicy(dir)
	}
	return pf.read(dir)
}

// recordedPolicy rebuilds what the newest journal of a folder had loaded.
func recordedPolicy(dir string) (policy, error) {
	var found policy
	file := ""
	loaded := make(map[string]authority.Document)
	for entry, err := range journal.Read(dir) {
		if err != nil {
			return policy{}, err
		}
		l, ok := entry.Record.(*rationale.Lifecycle)
		if !ok {
			continue
		}
		if entry.File != file {
			file, loaded, found = entry.File, make(map[string]authority.Document), policy{}
		}
		switch l.Event {
		case rationale.EventLoaded, rationale.EventRevoked, rationale.EventSuspended:
			if l.Bytes != nil {
				loaded[l.Document] = authority.Document{Name: l.Document, Data: l.Bytes, Signature: l.Signature}
			}
		case rationale.EventUnloaded:
			delete(loaded, l.Document)
		case rationale.EventManifest:
			if found.manifest, err = authority.ParseManifest("manifest in "+file, l.Bytes); err != nil {
				return policy{}, err
			}
			found.checked = true
		}
	}
	if len(loaded) == 0 {
		return policy{}, errors.New(dir + " holds no record of a loaded document")
	}
	for _, d := range loaded {
		found.docs = append(found.docs, d)
	}
	return found, nil
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
