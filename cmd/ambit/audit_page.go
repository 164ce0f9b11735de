package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/ambit-go/ambit/audit"
	"github.com/ambit-go/ambit/rationale"
)

// auditMarkdown prints the page of a review board: coverage first, then what
// nobody can explain, what could not be judged and why, and the score.
func auditMarkdown(w io.Writer, r *audit.Report, list *findingList) {
	fmt.Fprintf(w, "# Audit %s\n\n%s\n\n## Coverage\n\n", markdownText(r.ID), periodOf(r))
	markdownTable(w, coverageTable(r))
	markdownTimeline(w, &r.Timeline)
	for _, s := range sections(r, list) {
		fmt.Fprintf(w, "\n## %s\n\n%s\n", s.Title, s.Intro)
		if len(s.Findings) == 0 {
			continue
		}
		fmt.Fprintln(w)
		markdownTable(w, findingTable(s.Findings))
		for _, f := range s.Findings {
			for _, n := range f.Nearest {
				fmt.Fprintf(w, "- near %s: decision %s of %s, %s, %s: %s\n", markdownText(f.Event), markdownText(n.Decision), markdownText(n.Tool),
					n.At.UTC().Format(time.RFC3339), markdownText(n.Verdict), markdownText(n.Why))
			}
		}
		if s.More > 0 {
			fmt.Fprintf(w, "\nand %d more: `ambit audit -o json` lists all.\n", s.More)
		}
	}
	fmt.Fprint(w, "\n## What could not be judged\n\n")
	for _, text := range notJudged(r) {
		fmt.Fprintf(w, "- %s\n", markdownText(text))
	}
	fmt.Fprintf(w, "\n## Governance score\n\n%s\n\nDefined as %s.\n", scoreText(r), audit.ScoreFormula)
}

// markdownTable prints a table whose cells hold what strangers wrote.
func markdownTable(w io.Writer, b *table) {
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(b.head, " | "), strings.Repeat("---|", len(b.head)))
	for _, row := range b.rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = markdownText(c)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
}

// markdownText is text from a log as Markdown that says nothing else.
func markdownText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "\n", " ", "#", `\#`, "!", `\!`).Replace(rationale.Printable(s))
}

// markdownTimeline draws the bars of a timeline with characters.
func markdownTimeline(w io.Writer, line *audit.Timeline) {
	const most = 40
	if len(line.Bars) == 0 {
		return
	}
	highest := 0
	for _, b := range line.Bars {
		highest = max(highest, sumOf(b))
	}
	fmt.Fprint(w, "\n## Timeline\n\n```text\n")
	for _, b := range line.Bars {
		var parts []string
		for _, k := range audit.Kinds() {
			if n := b.Findings[k]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, k))
			}
		}
		fmt.Fprintf(w, "%s  %-*s  %s\n", b.From.UTC().Format(time.RFC3339), most, strings.Repeat("#", (sumOf(b)*most+highest-1)/highest), strings.Join(parts, ", "))
	}
	fmt.Fprintln(w, "```")
}

func sumOf(b audit.Bar) (sum int) {
	for _, n := range b.Findings {
		sum += n
	}
	return sum
}

func periodOf(r *audit.Report) string {
	if r.Since.IsZero() {
		return "All acts until " + r.Until.UTC().Format(time.RFC3339) + "."
	}
	return fmt.Sprintf("Acts from %s until %s.", r.Since.UTC().Format(time.RFC3339), r.Until.UTC().Format(time.RFC3339))
}

// section is the findings of one kind.
type section struct {
	Kind         audit.Kind
	Title, Intro string
	Findings     []audit.Finding
	More         int
}

func sections(r *audit.Report, list *findingList) []section {
	var all []section
	for _, s := range []section{
		{Kind: audit.Unexplained, Title: "Unexplained", Intro: "Acts of the agents' credentials that no record explains."},
		{Kind: audit.Unauthorized, Title: "Unauthorized", Intro: "Acts with a record that does not cover them."},
		{Kind: audit.Missettled, Title: "Settled against the log", Intro: "Calls that a person settled as ones that did not run, which freed their budgets, and that acted."},
		{Kind: audit.Orphan, Title: "Orphans", Intro: "Calls that reported success, or were settled so, of which no log has an event."},
		{Kind: audit.UnknownResolved, Title: "Unknown outcomes resolved", Intro: "Calls of which nobody knew how they ended, until the log showed it."},
		{Kind: audit.LogGap, Title: "Behind gaps of the log", Intro: "Calls whose events a log may have lost."},
		{Kind: audit.TooEarly, Title: "Too early to say", Intro: "Calls whose events may still be delivered."},
	} {
		n := r.Coverage.Findings[s.Kind]
		s.Findings = list.of[s.Kind]
		s.More = n - len(s.Findings)
		s.Title = fmt.Sprintf("%s (%d)", s.Title, n)
		if n > 0 || s.Kind == audit.Unexplained || s.Kind == audit.Unauthorized {
			all = append(all, s)
		}
	}
	return all
}

// notJudged says what the report leaves open, and why.
func notJudged(r *audit.Report) []string {
	list := leftOpen(r)
	for _, p := range r.Problems {
		list = append(list, "not read: "+problemText(p))
	}
	if r.MoreProblems > 0 {
		list = append(list, fmt.Sprintf("not read: %d more places like these", r.MoreProblems))
	}
	for i := range r.RecordGaps {
		list = append(list, fmt.Sprintf("records, %s: %s", between(r.RecordGaps[i].From, r.RecordGaps[i].To), r.RecordGaps[i].String()))
	}
	if len(list) == 0 {
		list = append(list, "nothing: all was read, and all had time to arrive")
	}
	return list
}

// leftOpen says what the report leaves open though all could be read.
func leftOpen(r *audit.Report) []string {
	var list []string
	for _, l := range r.Logs {
		if l.Events == 0 {
			list = append(list, fmt.Sprintf("log %s: it has no events", l.Name))
		}
		for _, g := range l.Gaps {
			list = append(list, fmt.Sprintf("log %s, %s: %s", l.Name, between(g.From, g.To), g.Why))
		}
	}
	for _, agent := range r.Absent {
		list = append(list, fmt.Sprintf("no event of any log names agent %s: check its principals in the document", agent))
	}
	if n := r.Coverage.Uncompared; n > 0 {
		list = append(list, fmt.Sprintf("%s explained without all that the document compares: their events do not say it, or their records do not keep it", count(n, "act")))
	}
	if r.Coverage.Unmapped > 0 {
		list = append(list, fmt.Sprintf("%s acted with tools of which the audit document names no events", count(r.Coverage.Unmapped, "decision")))
	}
	if n := r.Coverage.Findings[audit.TooEarly]; n > 0 {
		list = append(list, fmt.Sprintf("%s too young for the logs' delay", count(n, "decision")))
	}
	if r.Coverage.Decisions == 0 {
		list = append(list, "the records hold no decision of these agents: check records and agents of the document")
	}
	return list
}

func between(from, to time.Time) string {
	at := func(t time.Time, otherwise string) string {
		if t.IsZero() {
			return otherwise
		}
		return t.UTC().Format(time.RFC3339)
	}
	return at(from, "the beginning") + " to " + at(to, "the end")
}

//go:embed audit_page.html
var auditPage string

// auditHTML prints the page as HTML. Everything in it is escaped by the template:
// what logs say was written by strangers.
func auditHTML(w io.Writer, r *audit.Report, list *findingList) error {
	page, err := template.New("audit").Funcs(template.FuncMap{
		"text": rationale.Printable,
		"time": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"what": func(f audit.Finding) string {
			if f.Action == "" {
				return f.Tool
			}
			return f.Action
		},
	}).Parse(auditPage)
	if err != nil {
		return err
	}
	coverage := coverageTable(r)
	return page.Execute(w, map[string]any{
		"ID": r.ID, "Period": periodOf(r), "Coverage": coverage.rows, "Head": coverage.head, "Sections": sections(r, list), "NotJudged": notJudged(r),
		"Score": scoreText(r), "Formula": audit.ScoreFormula, "Timeline": pictureOf(&r.Timeline), "Kinds": audit.Kinds(),
	})
}

// picture is a timeline as an SVG.
type picture struct {
	Width, Height int
	Rects         []rect
	From, To      string
	Most          int
}

type rect struct {
	X, Y, Width, Height float64
	Kind                audit.Kind
	Title               string
}

// timelineOrder is from the bottom to the top.
var timelineOrder = []audit.Kind{audit.Explained, audit.ExplainedWeakly, audit.UnknownResolved, audit.TooEarly, audit.LogGap, audit.Orphan, audit.Missettled, audit.Unauthorized, audit.Unexplained}

const (
	pictureWidth  = 720
	pictureHeight = 120
)

func pictureOf(t *audit.Timeline) *picture {
	if len(t.Bars) == 0 {
		return nil
	}
	first, last := t.Bars[0].From, t.Bars[len(t.Bars)-1].From
	slots := float64(last.Sub(first)/t.Width + 1)
	p := &picture{Width: pictureWidth, Height: pictureHeight, From: first.Format(time.RFC3339), To: last.Add(t.Width).Format(time.RFC3339)}
	for _, b := range t.Bars {
		p.Most = max(p.Most, sumOf(b))
	}
	width := pictureWidth / slots
	for _, b := range t.Bars {
		y := float64(pictureHeight)
		for _, k := range timelineOrder {
			n := b.Findings[k]
			if n == 0 {
				continue
			}
			height := max(float64(n)/float64(p.Most)*pictureHeight, 2) // one among a million is seen
			y -= height
			p.Rects = append(p.Rects, rect{
				X: float64(b.From.Sub(first)/t.Width) * width, Y: max(y, 0), Width: max(width-1, 1), Height: height,
				Kind: k, Title: fmt.Sprintf("%s: %d %s", b.From.Format(time.RFC3339), n, k),
			})
		}
	}
	return p
}
