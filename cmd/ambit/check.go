package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/internal/callfile"
	"github.com/ambit-go/ambit/rationale"
)

const checkHelp = `
Usage: ambit check DIR -call FILE [-manifest FILE]
       ambit check DIR -agent ID -env NAME -tool NAME -args JSON [-fact NAME=JSON]…

Evaluates one call as the guard would, without a ledger, a tool or any other side
effect, and explains the decision: every check, what it read and how it came out.
The call file is JSON with the members at, agent, environment, tool, arguments,
facts and others; '-call -' reads standard input. Without a file, flags describe the
call. The arguments are what the model would send, with _rationale if it gives one.

Exits with 0 when the call is allowed, 1 when it is denied, 3 when it pends,
2 on misuse.
`

func check(t *terminal, args []string) int {
	f := newFlags(t, "check", checkHelp)
	pf := addPolicyFlags(f)
	file := f.String("call", "", "the call as a JSON `FILE`; - for standard input")
	call := &callfile.Call{Facts: make(map[string]json.RawMessage)}
	f.StringVar(&call.Agent, "agent", "", "agent `ID`")
	f.StringVar(&call.Environment, "env", "", "environment `NAME`")
	f.StringVar(&call.Tool, "tool", "", "tool `NAME`, or server/name")
	f.StringVar(&call.Session, "session", "", "session `ID`")
	arguments := f.String("args", "{}", "arguments as `JSON`")
	f.Func("fact", "a fact as `NAME=JSON`; may be given again", func(text string) error { return setFact(call, text) })
	before := f.String("before", "", "a `DIR` of documents that DIR takes the place of in a running host: an older version than its is superseded")
	out := f.output("text", "json")
	rest, code := f.parse(args, "one folder of documents", 1, 1)
	if code >= 0 {
		return code
	}
	if err := oneOf(*out, "text", "json"); err != nil {
		return f.misuse(err.Error())
	}
	at, err := pf.time()
	if err != nil {
		return f.misuse(err.Error())
	}
	call.At, call.ArgumentsText = at, arguments
	if call, err = theCall(t, *file, call, *pf.at, at); err != nil {
		return f.misuse(err.Error())
	}
	read, err := pf.read(rest[0])
	if err != nil {
		return f.policyError(err)
	}
	set, err := pf.replace(*before, read)
	if err != nil {
		return f.policyError(err)
	}
	if *file == "" {
		asConfigured(call, read.manifest)
	}
	d, err := call.Evaluate(set, read.manifest)
	if err != nil {
		return f.misuse(err.Error())
	}
	d.ID = unrecorded
	if !read.checked {
		fmt.Fprintln(t.err, "ambit check: "+noManifest)
	}
	return t.checked(d, *out)
}

// unrecorded stands in place of the id of a decision that no evidence holds.
const unrecorded = "unrecorded"

// asConfigured gives a call that flags describe the model and the prompt of the
// manifest, where that names one.
func asConfigured(call *callfile.Call, m authority.Manifest) {
	if len(m.Models) == 1 {
		call.Model = rationale.Model{Provider: m.Models[0].Provider, Name: m.Models[0].Name, Version: m.Models[0].Version, Basis: m.Models[0].Basis}
	}
	for _, a := range m.Agents {
		if a.ID == call.Agent {
			call.Prompt = a.Prompt
		}
	}
}

func setFact(call *callfile.Call, text string) error {
	for i := range text {
		if text[i] == '=' {
			if !json.Valid([]byte(text[i+1:])) {
				return fmt.Errorf("the value of %s is no JSON; quote a string twice: -fact 'NAME=\"text\"'", text[:i])
			}
			call.Facts[text[:i]] = json.RawMessage(text[i+1:])
			return nil
		}
	}
	return fmt.Errorf("want NAME=JSON")
}

// theCall returns the call of the file, or the one that flags describe.
func theCall(t *terminal, file string, flagged *callfile.Call, atFlag string, at time.Time) (*callfile.Call, error) {
	if file == "" {
		if flagged.Agent == "" || flagged.Environment == "" || flagged.Tool == "" {
			return nil, fmt.Errorf("want -call FILE, or -agent, -env and -tool")
		}
		return flagged, nil
	}
	if flagged.Agent != "" || flagged.Environment != "" || flagged.Tool != "" || len(flagged.Facts) > 0 {
		return nil, fmt.Errorf("-call describes the whole call: leave out -agent, -env, -tool and -fact")
	}
	var data []byte
	var err error
	if file == "-" {
		data, err = io.ReadAll(t.in)
	} else {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, err
	}
	call, err := callfile.Parse(data)
	if err == nil && atFlag != "" {
		call.At = at
	}
	return call, err
}

// checked prints a decision and returns its exit code.
func (t *terminal) checked(d *rationale.Decision, out string) int {
	if out == "json" {
		line, err := rationale.Marshal(d)
		if err != nil {
			fmt.Fprintf(t.err, "ambit check: %v\n", err)
			return exitUsage
		}
		fmt.Fprintln(t.out, terminalJSON(line))
	} else {
		t.explain(d, nil)
	}
	switch d.Verdict {
	case rationale.Allow:
		return exitOK
	case rationale.Pend:
		return exitPend
	default:
		return exitFailed
	}
}
