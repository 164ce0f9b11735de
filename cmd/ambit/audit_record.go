package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ambit-go/ambit/audit"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// recordAudit records what an audit found in the journals that it has read. Archives, and
// single segments, are copies.
func (t *terminal) recordAudit(f flags, df deskFlags, dirs []string, report *audit.Report) int {
	results, from, until, err := report.Results()
	if err != nil {
		fmt.Fprintf(t.err, "%s: not recorded, since it did not see everything: %s\n", f.Name(), rationale.Printable(err.Error()))
		return exitFailed
	}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool { return !journal.Exists(dir) })
	if len(dirs) == 0 {
		fmt.Fprintf(t.err, "%s: not recorded: none of the document's records is the folder that a guard keeps its evidence in\n", f.Name())
		return exitFailed
	}
	for _, dir := range dirs {
		code := t.desk(f, df, dir, func(ctx context.Context, d desk.Desk) error {
			for _, result := range results {
				id, err := d.Audited(ctx, desk.Audited{Result: result, From: from, Until: until})
				if err != nil {
					return fmt.Errorf("%s, authorization %s: %w", dir, result.Authorization, err)
				}
				fmt.Fprintf(t.err, "%s  %s\n", t.paint(green, "recorded"), rationale.Printable(fmt.Sprintf("audit %s in %s: of %s from %s until %s, %d judged, %d unexplained, %d unauthorized",
					id, dir, result.Authorization, from.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339), result.Judged, result.Unexplained, result.Unauthorized)))
			}
			return nil
		})
		if code != exitOK {
			return code
		}
	}
	return exitOK
}

func unansweredAudits(t *terminal, args []string) int {
	line := func(u ledger.UnansweredAudit) ([]byte, error) { return json.Marshal(unansweredLine(u)) }
	l := listing[ledger.UnansweredAudit]{desk.Desk.Unanswered, line, t.unanswered}
	return l.command(newFlags(t, "audit unanswered", auditHelp), args, "at most one folder", "table", "json")
}

// unansweredLine is an audit that waits for an answer as JSON.
type unansweredLine struct {
	Audit         string `json:"audit"`
	Authorization string `json:"authorization"`
	Found         int    `json:"found"`
}

func (t *terminal) unanswered(all []ledger.UnansweredAudit, dir string) {
	if len(all) == 0 {
		fmt.Fprintln(t.out, "No audit waits for an answer.")
		return
	}
	b := &table{head: []string{"AUTHORIZATION", "FOUND", "AUDIT"}}
	for _, u := range all {
		b.add(u.Authorization, strconv.Itoa(u.Found), u.Audit)
	}
	b.write(t, t.out)
	fmt.Fprintf(t.out, "\n%s for an answer. Answer one with: ambit audit answer -why TEXT %s AUDIT\n",
		count(len(all), "audit")+map[bool]string{true: " waits", false: " wait"}[len(all) == 1], rationale.Printable(dir))
}

func answerAudit(t *terminal, args []string) int {
	f := newFlags(t, "audit answer", auditHelp)
	df := addDeskFlags(f)
	var a desk.AuditAnswer
	f.StringVar(&a.Why, "why", "", "what became of the acts that were found, as a `TEXT`; required, and recorded")
	rest, code := df.parse(f, args, "a folder and an audit", 2, 2)
	if code >= 0 {
		return code
	}
	if strings.TrimSpace(a.Why) == "" {
		return f.misuse("want -why: it is recorded")
	}
	return t.desk(f, df, rest[0], func(ctx context.Context, d desk.Desk) error {
		a.Audit = rest[1]
		if err := d.AnswerAudit(ctx, a); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%s  %s\n", t.paint(green, "answered"), rationale.Printable(a.Audit))
		return nil
	})
}
