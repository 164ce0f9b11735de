package main

import (
	"errors"
	"fmt"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

const vetHelp = `
Usage: ambit vet DIR [-manifest FILE]

Validates every document of a folder: keys, types, dates, limits, eligibility, and
every CEL expression against the tools, facts and derived values of the manifest.
Warns of rules that can never hold or never fail, of free text that no rule
constrains, and of patterns that no tool matches.

Exits with 0 when the documents load (warnings allowed), 1 when something fails or
when there is no manifest, so that types could not be checked, 2 on misuse.
`

func vet(t *terminal, args []string) int {
	f := newFlags(t, "vet", vetHelp)
	pf := addPolicyFlags(f)
	rest, code := f.parse(args, "one folder of documents", 1, 1)
	if code >= 0 {
		return code
	}
	at, err := pf.time()
	if err != nil {
		return f.misuse(err.Error())
	}
	read, err := pf.read(rest[0])
	if err != nil {
		return t.policyError(err)
	}
	set, err := pf.load(read)
	if err != nil {
		return t.policyError(err)
	}
	return t.findings(set.Vet(at), read)
}

func (t *terminal) findings(found []authority.Finding, read policy) int {
	failures, warnings := 0, 0
	for _, finding := range found {
		if finding.Fails {
			failures++
			fmt.Fprintf(t.out, "%s %v\n", t.paint(red, "error:"), finding.Error)
			continue
		}
		warnings++
		fmt.Fprintf(t.out, "%s %v\n", t.paint(yellow, "warning:"), finding.Error)
	}
	switch {
	case failures > 0:
		fmt.Fprintf(t.out, "%s and %s in %s\n", count(failures, "error"), count(warnings, "warning"), count(len(read.docs), "document"))
		return exitFailed
	case !read.checked:
		fmt.Fprintf(t.out, "types unchecked: there is no manifest. Have the host write guard.Guard.Manifest to manifest.yaml and give it with -manifest FILE.\n")
		return exitFailed
	default:
		fmt.Fprintf(t.out, "%s %s, %s, %s\n", t.paint(green, "ok:"), count(len(read.docs), "document"),
			count(len(read.manifest.Tools), "tool"), count(warnings, "warning"))
		return exitOK
	}
}

// policyError prints why documents do not load.
func (t *terminal) policyError(err error) int {
	errs, ok := errors.AsType[authority.Errors](err)
	if !ok {
		fmt.Fprintf(t.err, "ambit: %s\n", rationale.Printable(err.Error()))
		return exitUsage
	}
	for _, e := range errs {
		fmt.Fprintf(t.err, "%s %v\n", t.paint(red, "error:"), e)
	}
	fmt.Fprintf(t.err, "%s: nothing is loaded until all documents are right\n", count(len(errs), "error"))
	return exitFailed
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
