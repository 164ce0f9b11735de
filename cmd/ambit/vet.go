package main

import (
	"errors"
	"fmt"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

const vetHelp = `
Usage: ambit vet DIR [-manifest FILE] [-explain]

Validates every document of a folder: keys, types, dates, limits, eligibility, and
every CEL expression against the tools, facts and derived values of the manifest.
Warns of rules that can never hold or never fail, of free text that no rule
constrains, and of patterns that no tool matches. -explain lists the expressions
first, and says which run as native programs, and why the others run on cel-go.

Exits with 0 when the documents load (warnings allowed), 1 when something fails or
when there is no manifest, so that types could not be checked, 2 on misuse.
`

func vet(t *terminal, args []string) int {
	f := newFlags(t, "vet", vetHelp)
	pf := addPolicyFlags(f)
	explain := f.Bool("explain", false, "list the expressions and how each is evaluated")
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
		return f.policyError(err)
	}
	set, err := pf.load(read)
	if err != nil {
		return f.policyError(err)
	}
	if *explain {
		t.expressions(set.Expressions())
	}
	return t.findings(set.Vet(at), read)
}

func (t *terminal) expressions(all []authority.Expression) {
	if len(all) == 0 {
		fmt.Fprintln(t.out, "no expression is compiled: an expression is compiled for the tools of the manifest that its class matches")
		return
	}
	b := &table{head: []string{"PLACE", "CLASS", "TOOL", "RUNS", "EXPRESSION"}}
	native := 0
	for _, e := range all {
		runs := "natively"
		if e.Native {
			native++
		} else {
			runs = "on cel-go: " + e.Why
		}
		b.add(fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column), e.Class, e.Tool, runs, e.Source)
	}
	b.write(t, t.out)
	fmt.Fprintf(t.out, "%d of %s natively\n\n", native, expressionsRun(len(all)))
}

func expressionsRun(n int) string {
	if n == 1 {
		return "1 expression runs"
	}
	return fmt.Sprintf("%d expressions run", n)
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
		fmt.Fprintln(t.out, "types unchecked: "+noManifest)
		return exitFailed
	default:
		fmt.Fprintf(t.out, "%s %s, %s, %s\n", t.paint(green, "ok:"), count(len(read.docs), "document"),
			count(len(read.manifest.Tools), "tool"), count(warnings, "warning"))
		return exitOK
	}
}

// policyError prints why documents do not load.
func (f flags) policyError(err error) int {
	errs, ok := errors.AsType[authority.Errors](err)
	if !ok {
		fmt.Fprintf(f.t.err, "%s: %s\n", f.Name(), rationale.Printable(err.Error()))
		return exitUsage
	}
	for _, e := range errs {
		fmt.Fprintf(f.t.err, "%s %v\n", f.t.paint(red, "error:"), e)
	}
	fmt.Fprintf(f.t.err, "%s: nothing is loaded until all documents are right\n", count(len(errs), "error"))
	return exitFailed
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
