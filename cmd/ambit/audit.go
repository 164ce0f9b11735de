package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ambit-go/ambit/audit"
	"github.com/ambit-go/ambit/rationale"
)

const auditHelp = `
Usage: ambit audit [-o table|json|md|html] [-fail-on KIND,…] [-since TIME] [-until TIME] [-record] AUDIT.yaml
       ambit audit unanswered [DIR] [-o table|json]
       ambit audit answer -why TEXT DIR AUDIT
       ambit audit -q|-all …    asks questions of the records alone: see 'ambit audit -q -h'

Joins event logs of the cloud (AWS CloudTrail, Kubernetes audit, any JSON lines) with the
records of evidence folders, and says which acts of the agents' credentials no record
explains, and which decisions have no event. AUDIT.yaml is an Audit document: it names
agents and their principals, logs, records, and which events each tool makes. Its paths are
relative to its folder.

Findings: explained (a key of the event names the decision), explained_weakly (only agent,
action, resource and time fit), unknown_resolved (nobody knew how the call ended, and the log
shows it), unexplained (no record), unauthorized (a record that does not cover the event),
missettled (a person settled the call as one that did not run, and the log shows that it
acted), orphan (the call reported success, no event), log_gap (no event, and the log has a
gap) and too_early (no event yet, and it may still be delivered).

-o json prints one finding to a line: finding, event, decision, why, and what is known
beside. -o md and -o html print a page for a review board. What could not be read is
reported on standard error, and the rest is judged.

-record records the result in each folder that the document's records name, for each of
the agents' authorizations: the audit is no longer overdue there, and where it found more
acts unexplained or unauthorized than the authorization's audit.max_unexplained, the
classes wait for people until somebody has answered: 'unanswered' lists what waits, and
'answer' answers one. A run that could not see everything is not recorded. Who may
record and answer is named by the authority matrix (audit: {by: […]}), and is neither the
owner of the authorization nor its agent.
` + deskHelp + `
Exits with 0 on success, 1 when there is a finding of a kind that -fail-on names, something
could not be read, or the record does not count, 2 on misuse or a document that does not load.
`

func auditLogs(t *terminal, args []string) int {
	if asksQuestions(args) {
		return questions(t, args)
	}
	if len(args) > 0 {
		switch args[0] {
		case "unanswered":
			return unansweredAudits(t, args[1:])
		case "answer":
			return answerAudit(t, args[1:])
		}
	}
	f := newFlags(t, "audit", auditHelp)
	df := addDeskFlags(f)
	record := f.Bool("record", false, "record the result, so that it counts for the classes' brakes")
	failOn := f.String("fail-on", "", "exit with 1 when there is a finding of one of these `KINDS`, joined by commas")
	since := f.String("since", "", "judge from a `TIME` on, RFC 3339, or a duration ago such as 24h (default: what the document says)")
	until := f.String("until", "", "judge as of a `TIME`, when the logs were collected (default: what the document says, else now)")
	out := f.output("table", "json", "md", "html")
	files, code := f.parse(args, "one Audit document", 1, 1)
	if code >= 0 {
		return code
	}
	if *df.postgres != "" {
		return f.misuse("-postgres is for answers to audits: an audit reads the journals that its document names")
	}
	var config audit.Config
	failing, err := kinds(*failOn)
	if err == nil {
		config.Since, err = moment(*since)
	}
	if err == nil {
		config.Until, err = moment(*until)
	}
	if err == nil {
		err = oneOf(*out, "table", "json", "md", "html")
	}
	if err != nil {
		return f.misuse(err.Error())
	}
	data, err := os.ReadFile(files[0])
	if info, missing := os.Stat(files[0]); missing == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder, and an Audit document is a file; of the records in a folder, ask questions with -q NAME or -all", files[0])
	}
	if err != nil {
		return f.misuse(err.Error())
	}
	if config.Document, err = audit.Load(files[0], data); err != nil {
		fmt.Fprintln(t.err, err)
		return exitUsage
	}
	config.Record = *record
	list := &findingList{t: t, lines: *out == "json"}
	report, err := t.runAudit(config, list)
	if err == nil {
		err = t.auditPage(*out, &report, list)
	}
	if err != nil {
		fmt.Fprintf(t.err, "ambit audit: %s\n", rationale.Printable(err.Error()))
		return exitUsage
	}
	t.auditProblems(&report)
	if *record {
		if code := t.recordAudit(f, df, config.Document.Journals(), &report); code != exitOK {
			return code
		}
	}
	if err := report.Keep(); err != nil {
		fmt.Fprintf(t.err, "ambit audit: the state could not be kept, so the next run judges the same again: %s\n", rationale.Printable(err.Error()))
		return exitUsage
	}
	for _, k := range failing {
		if report.Coverage.Findings[k] > 0 {
			return exitFailed
		}
	}
	if !report.Whole() {
		return exitFailed
	}
	return exitOK
}

// runAudit runs an audit until it is through or interrupted.
func (t *terminal) runAudit(config audit.Config, list *findingList) (audit.Report, error) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(audit.Memory)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	progress := newProgress(t.err)
	defer progress.end()
	progress.follow(&config)
	config.Findings = func(f audit.Finding) error {
		progress.end()
		return list.add(f)
	}
	if !list.lines {
		config.Only = slices.DeleteFunc(audit.Kinds(), func(k audit.Kind) bool { return k == audit.Explained || k == audit.ExplainedWeakly })
	}
	return audit.Run(ctx, config)
}

// follow shows how far an audit is.
func (p *progress) follow(c *audit.Config) {
	if p.w == nil {
		return
	}
	c.Progress = func(now audit.Progress) {
		if now.Joining {
			p.say("joining: events with " + count(now.Records, "record"))
			return
		}
		p.say(fmt.Sprintf("reading: %d of %d MB of event logs, %s", now.Read/1e6, now.Size/1e6, count(now.Records, "record")))
	}
}

// auditPage prints what an audit found, unless it is printed already, line by line. An
// error says that it is not all printed.
func (t *terminal) auditPage(format string, r *audit.Report, list *findingList) error {
	var page bytes.Buffer
	var err error
	switch format {
	case "table":
		t.auditTable(&page, r, list)
	case "md":
		auditMarkdown(&page, r, list)
	case "html":
		err = auditHTML(&page, r, list)
	}
	if err == nil {
		_, err = page.WriteTo(t.out)
	}
	return err
}

func kinds(text string) ([]audit.Kind, error) {
	var list []audit.Kind
	for name := range strings.SplitSeq(text, ",") {
		k := audit.Kind(strings.TrimSpace(name))
		switch {
		case k == "":
		case slices.Contains(audit.Kinds(), k):
			list = append(list, k)
		default:
			var known []string
			for _, k := range audit.Kinds() {
				known = append(known, string(k))
			}
			return nil, fmt.Errorf("-fail-on %s: want %s", k, strings.Join(known, ", "))
		}
	}
	return list, nil
}

// findingList takes the findings of a run: as lines, or the first of each kind
// for a page.
type findingList struct {
	t     *terminal
	lines bool
	of    map[audit.Kind][]audit.Finding
}

// maxListed is how many findings of one kind a page shows.
const maxListed = 100

func (l *findingList) add(f audit.Finding) error {
	if l.lines {
		line, err := json.Marshal(f)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(l.t.out, terminalJSON(line))
		return err
	}
	if l.of == nil {
		l.of = map[audit.Kind][]audit.Finding{}
	}
	if len(l.of[f.Kind]) < maxListed {
		l.of[f.Kind] = append(l.of[f.Kind], f)
	}
	return nil
}

// auditProblems prints what could not be read, and the sum of it all.
func (t *terminal) auditProblems(r *audit.Report) {
	for _, p := range r.Problems {
		fmt.Fprintf(t.err, "%s %s\n", t.paint(red, "not read:"), rationale.Printable(problemText(p)))
	}
	if r.MoreProblems > 0 {
		fmt.Fprintf(t.err, "%s %s more like these\n", t.paint(red, "not read:"), strconv.Itoa(r.MoreProblems))
	}
	for i := range r.RecordGaps {
		fmt.Fprintf(t.err, "%s %s\n", t.paint(red, "records missing:"), rationale.Printable(r.RecordGaps[i].String()))
	}
	for _, text := range leftOpen(r) {
		fmt.Fprintf(t.err, "%s %s\n", t.paint(yellow, "note:"), rationale.Printable(text))
	}
	fmt.Fprintf(t.err, "%s\n", summaryOf(r))
}

func problemText(p audit.Problem) string {
	if p.Offset < 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Problem)
	}
	return fmt.Sprintf("%s: byte %d: %s", p.File, p.Offset, p.Problem)
}

func summaryOf(r *audit.Report) string {
	c := &r.Coverage
	text := fmt.Sprintf("%s read, %d acts of the agents, %s", count(c.Events, "event"), c.Mutating, count(c.Decisions, "decision"))
	for _, k := range audit.Kinds() {
		if n := c.Findings[k]; n > 0 {
			text += fmt.Sprintf("; %d %s", n, k)
		}
	}
	return text + "."
}

// auditTable prints coverage first, then what nobody can explain, and the score.
func (t *terminal) auditTable(w io.Writer, r *audit.Report, list *findingList) {
	coverageTable(r).write(t, w)
	for _, k := range audit.Kinds() {
		found := list.of[k]
		if len(found) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", t.paint(bold, fmt.Sprintf("%s (%d)", k, r.Coverage.Findings[k])))
		findingTable(found).write(t, w)
		if more := r.Coverage.Findings[k] - len(found); more > 0 {
			fmt.Fprintf(w, "and %d more: list all with -o json\n", more)
		}
	}
	fmt.Fprintf(w, "\n%s\n", scoreText(r))
}

func scoreText(r *audit.Report) string {
	if !r.Score.Defined {
		return "Governance score: none, since there was nothing to judge."
	}
	return fmt.Sprintf("Governance score: %.1f of 100 = %s", r.Score.Percent, r.Score.Formula)
}

func coverageTable(r *audit.Report) *table {
	c := &r.Coverage
	b := &table{head: []string{"COVERAGE", "COUNT", "SHARE"}}
	share := func(kinds ...audit.Kind) string { return fmt.Sprintf("%.1f %%", c.Share(kinds...)) }
	b.add("acts of the agents (mutating events)", strconv.Itoa(c.Mutating), "")
	for _, k := range []audit.Kind{audit.Explained, audit.ExplainedWeakly, audit.UnknownResolved, audit.Unexplained, audit.Unauthorized} {
		b.add("  "+string(k), strconv.Itoa(c.Findings[k]), share(k))
	}
	b.add("  explained, and not compared in full", strconv.Itoa(c.Uncompared), "")
	b.add("decisions of the agents", strconv.Itoa(c.Decisions), "")
	for _, k := range []audit.Kind{audit.Missettled, audit.Orphan, audit.LogGap, audit.TooEarly} {
		b.add("  "+string(k), strconv.Itoa(c.Findings[k]), "")
	}
	b.add("  of tools whose events are not named", strconv.Itoa(c.Unmapped), "")
	b.add("events read", strconv.Itoa(c.Events), "")
	for _, row := range []struct {
		name string
		n    int
	}{
		{"by other principals", c.Other},
		{"read-only", c.ReadOnly},
		{"begun by a service", c.Service},
		{"failed", c.Failed},
		{"outside of the time judged", c.Outside},
		{"judged by an earlier run", c.Before},
	} {
		b.add("  "+row.name, strconv.Itoa(row.n), "")
	}
	b.add("delivered more than once", strconv.Itoa(c.Duplicates), "")
	return b
}

func findingTable(found []audit.Finding) *table {
	b := &table{head: []string{"TIME", "ACTION OR TOOL", "RESOURCE", "EVENT", "DECISION", "WHY"}}
	for _, f := range found {
		what := f.Action
		if what == "" {
			what = f.Tool
		}
		b.add(f.At.UTC().Format(time.RFC3339), what, f.Resource, f.Event, f.Decision, f.Why)
	}
	return b
}
