package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
)

const suspendHelp = `
Usage: ambit suspend [DIR] [-o table|json]
       ambit suspend [DIR] WHAT -why TEXT

Lists what people have suspended. Or suspends, from the next call on: WHAT is one of

  -agent ID
  -authorization ID
  -authorization ID -class ID
  -everything

Everybody whom the authority matrix knows may suspend. Names count exactly as they are
written; one that no loaded document has is suspended too, with a warning. A Suspension
document does the same for all hosts that load it.
` + deskHelp + `
Exits with 0 on success, 1 when it does not count, 2 when nothing could be asked.
`

const resumeHelp = `
Usage: ambit resume [DIR] WHAT -why TEXT

Ends what a person has suspended, named as for 'ambit suspend', which lists it. Who may do
so is named by the authority matrix (resumption: {by: […]}). What a document suspends
ends when the document is removed.
` + deskHelp + `
Exits with 0 on success, 1 when it does not count, 2 when nothing could be asked.
`

// addSwitchFlags are those of suspend and resume.
func addSwitchFlags(f flags) *desk.Switch {
	var s desk.Switch
	f.StringVar(&s.What.Agent, "agent", "", "the agent with this `ID`")
	f.StringVar(&s.What.Authorization, "authorization", "", "the authorization with this `ID`")
	f.StringVar(&s.What.Class, "class", "", "the class of the authorization with this `ID`")
	f.BoolVar(&s.What.Everything, "everything", false, "every call that this journal's host decides")
	f.StringVar(&s.Why, "why", "", "the reason, as a `TEXT`; required, and recorded")
	return &s
}

func suspend(t *terminal, args []string) int {
	f := newFlags(t, "suspend", suspendHelp)
	df, s := addDeskFlags(f), addSwitchFlags(f)
	out := f.output("table", "json")
	rest, code := df.parse(f, args, "at most one folder", 0, 1)
	if code >= 0 {
		return code
	}
	if err := oneOf(*out, "table", "json"); err != nil {
		return f.misuse(err.Error())
	}
	if *s == (desk.Switch{}) {
		l := listing[*rationale.Lifecycle]{desk.Desk.Suspensions, suspensionLine, t.suspensions}
		return l.print(f, df, folder(rest), *out)
	}
	return t.flip(f, df, rest, *s, "suspended", func(d desk.Desk, ctx context.Context, s desk.Switch) error {
		warning, err := d.Suspend(ctx, s)
		if warning != "" {
			fmt.Fprintf(t.err, "%s: this may stop nothing: %s\n", f.Name(), rationale.Printable(warning))
		}
		return err
	})
}

func resume(t *terminal, args []string) int {
	f := newFlags(t, "resume", resumeHelp)
	df, s := addDeskFlags(f), addSwitchFlags(f)
	rest, code := df.parse(f, args, "at most one folder", 0, 1)
	if code >= 0 {
		return code
	}
	return t.flip(f, df, rest, *s, "resumed", desk.Desk.Resume)
}

func (t *terminal) flip(f flags, df deskFlags, rest []string, s desk.Switch, done string, do func(desk.Desk, context.Context, desk.Switch) error) int {
	if err := s.What.Validate(); err != nil {
		return f.misuse("want -agent, -authorization (with -class, or without) or -everything: " + err.Error())
	}
	if strings.TrimSpace(s.Why) == "" {
		return f.misuse("want -why: it is recorded")
	}
	return t.desk(f, df, folder(rest), func(ctx context.Context, d desk.Desk) error {
		if err := do(d, ctx, s); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%s  %s\n", t.paint(yellow, done), rationale.Printable(s.What.String()))
		return nil
	})
}

func suspensionLine(l *rationale.Lifecycle) ([]byte, error) { return rationale.Marshal(l) }

func (t *terminal) suspensions(all []*rationale.Lifecycle, dir string) {
	if len(all) == 0 {
		fmt.Fprintln(t.out, "Nothing is suspended by a person.")
		return
	}
	b := &table{head: []string{"SUSPENDED", "SINCE", "BY", "WHY"}}
	for _, l := range all {
		b.add(l.Suspension.String(), l.At.UTC().Format(time.RFC3339), l.By, l.Message)
	}
	b.write(t, t.out)
	fmt.Fprintf(t.out, "\nEnd one with: ambit resume %s -agent ID, -authorization ID or -everything, and -why\n", rationale.Printable(dir))
}
