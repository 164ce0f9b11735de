package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/ambit-go/ambit/rationale"
)

// screen prints records as they come, and keeps them for the summary.
type screen struct {
	out   io.Writer
	color bool

	mu        sync.Mutex
	decisions []*rationale.Decision
	acted     bool // in this turn, something other than reading was tried
}

func newScreen(out io.Writer, color bool) *screen { return &screen{out: out, color: color} }

// The styles of ANSI terminals.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (s *screen) style(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

const (
	columns = "%-5s  %-20s  %-16s  %-24s  %s"
	indent  = "       "
)

func (s *screen) head(o options, model string) {
	fmt.Fprintf(s.out, "%s keeps a simulated fleet within p95 ≤ 2 s.\n", model)
	fmt.Fprintf(s.out, "load      %s, %d requests in %s\n", clean(o.traceName), len(o.trace), o.trace.Length().Round(time.Minute))
	fmt.Fprintf(s.out, "policy    examples/autoscaler/policy (unsigned: this host allows that)\n")
	fmt.Fprintf(s.out, "evidence  %s\n\n", o.evidence)
	fmt.Fprint(s.out, s.style(bold, fmt.Sprintf(columns, "time", "tool", "class", "tier", "verdict  why"))+"\n")
}

// event prints something that happened outside the agent.
func (s *screen) event(at time.Time, text string) {
	fmt.Fprintf(s.out, "%s  %s\n", at.Format("15:04"), s.style(bold, "— "+at.Format("2 January 2006")+": "+text+" —"))
}

// people prints what people answered.
func (s *screen) people(said string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%s%s\n", indent, s.style(bold, said))
}

// closing prints the agent's last word of a turn in which it did something.
func (s *screen) closing(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acted {
		s.say(text)
	}
	s.acted = false
}

// say prints the model's words: untrusted text, on one line and of bounded length.
func (s *screen) say(text string) {
	if text = clean(text); text != "" {
		fmt.Fprintf(s.out, "%s%s\n", indent, s.style(dim, "“"+text+"”"))
	}
}

// record prints a decision, and an outcome that is not a success.
func (s *screen) record(rec rationale.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r := rec.(type) {
	case *rationale.Decision:
		s.decisions = append(s.decisions, r)
		s.decision(r)
	case *rationale.Outcome:
		if r.Status != rationale.StatusSuccess {
			fmt.Fprintf(s.out, "%sit was allowed, and ended in %s: %s\n", indent, r.Status, clean(r.Error))
		}
	}
}

func (s *screen) decision(d *rationale.Decision) {
	s.acted = s.acted || d.Effect != "read"
	tier := d.Tier.String()
	switch {
	case d.Class == "":
		tier = "-"
	case d.Tier != d.BaseTier:
		tier = "↑ " + tier
	}
	fmt.Fprintf(s.out, columns+"\n", d.At.Format("15:04"), clean(d.Tool.Name),
		cmp.Or(d.Class, "-"), tier, s.verdict(d.Verdict, clean(strings.Join(whys(d), ", "))))
	if d.Effect == "read" && d.Verdict == rationale.Allow {
		return
	}
	if text := clean(action(d)); text != "" {
		fmt.Fprintf(s.out, "%s%s\n", indent, text)
	}
	if d.Rationale != nil && d.Parent == "" { // else it stands above
		s.say(d.Rationale.Text)
	}
	for _, text := range details(d) {
		fmt.Fprintf(s.out, "%s%s\n", indent, clean(text))
	}
}

func (s *screen) verdict(v rationale.Verdict, why string) string {
	code := red
	switch v {
	case rationale.Allow:
		code = green
	case rationale.Pend:
		code = yellow
	}
	if why == "" {
		return s.style(code, v.String())
	}
	return s.style(code, v.String()) + strings.Repeat(" ", len("verdict  ")-len(v.String())) + why
}

// whys are the reason codes, and what raised the tier.
func whys(d *rationale.Decision) []string {
	var out []string
	for _, r := range d.Reasons {
		out = append(out, string(r))
	}
	for _, c := range d.Checks {
		if c.Result != rationale.Raised {
			continue
		}
		raised := cmp.Or(c.Why, string(c.Kind))
		if c.Kind == rationale.CheckBand {
			raised = "spend band"
		}
		out = append(out, "raised by "+raised)
	}
	return out
}

// action is what the call asks for: its arguments, and its price for a day.
func action(d *rationale.Decision) string {
	var args map[string]any
	if json.Unmarshal(d.Arguments, &args) != nil {
		return ""
	}
	var parts []string
	for name, value := range args {
		parts = append(parts, fmt.Sprintf("%s=%v", name, value))
	}
	slices.Sort(parts)
	text := strings.Join(parts, " ")
	if d.Spend != nil && d.Spend.Amount != "" {
		text += fmt.Sprintf("  (%s %s a day)", d.Spend.Amount, d.Spend.Currency)
	}
	return text
}

// details say what failed and what would be within bounds, and what people owe.
func details(d *rationale.Decision) []string {
	var out []string
	if d.Authorization != nil && d.Standing != rationale.StandingActive {
		out = append(out, "provisionally unauthorized: nothing is in force of "+d.Authorization.ID)
	}
	for _, c := range d.Checks {
		if c.Result == rationale.Passed || c.Result == rationale.Raised {
			continue
		}
		text := "✗ " + c.ID + ": " + cmp.Or(c.Why, c.Message)
		if c.Within != "" {
			text += "; within bounds: " + c.Within
		}
		out = append(out, text)
	}
	if d.Ticket != nil {
		out = append(out, fmt.Sprintf("ticket for %s, until %s", strings.Join(d.Ticket.By, ", "), d.Ticket.Expires.Format("15:04")))
	}
	if d.Approval != "" {
		out = append(out, "the approval is used: it serves this once")
	}
	if d.Review != nil {
		out = append(out, fmt.Sprintf("review owed by %s, due %s", strings.Join(d.Review.By, ", "), d.Review.Due.Format("2 January 15:04")))
	}
	return out
}

// clean makes text from outside safe for a terminal: one line, nothing
// invisible, at most 200 characters.
func clean(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.Join(strings.Fields(text), " ") {
		if n++; n > 200 {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}
