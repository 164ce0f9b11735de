package main

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const recordsHelp = `
Usage: ambit records DIR… [filters] [-o table|json]
       ambit records DIR… -explain ID
       ambit records -postgres URL …

Lists the records of one or more evidence folders, and of archives of their segments, or of
the database of a shared ledger, in the order in which they were written, and verifies the
hash chain on the way. With -o json every record is one JSON object on a line of its own,
with kind, id, at and its own members. -explain prints one decision as a person would want
to read it, with what came of it.

Records that are sealed for a person are shown open where the key is: in DIR/subjects, or in
a folder given with -subjects. Where it was destroyed, they are shown as erased.

Filters that name a verdict, class or authorization choose decisions; the outcomes
of chosen decisions are listed with them.

Exits with 0 on success, 1 when a journal is damaged, 2 on misuse.
`

// filter chooses records.
type filter struct {
	kind, verdict, class, authorization string
	since, until                        time.Time
}

func records(t *terminal, args []string) int {
	f := newFlags(t, "records", recordsHelp)
	var by filter
	f.StringVar(&by.kind, "kind", "", "only records of a `KIND`: "+strings.Join(recordKinds, ", "))
	f.StringVar(&by.verdict, "verdict", "", "only decisions with a `VERDICT`: allow, pend or deny")
	f.StringVar(&by.class, "class", "", "only decisions of a class `ID`")
	f.StringVar(&by.authorization, "authorization", "", "only decisions under an authorization `ID`")
	since := f.String("since", "", "only records from a `TIME` on, RFC 3339, or a duration ago such as 24h or 30d")
	until := f.String("until", "", "only records before a `TIME`, likewise")
	explain := f.String("explain", "", "explain the decision with this `ID`")
	out := f.output("table", "json")
	url := f.String("postgres", "", postgresFlag)
	var subjects []string
	f.Func("subjects", "a `FOLDER` with the keys of sealed records; may be given again (default: DIR/subjects)", func(text string) error {
		subjects = append(subjects, text)
		return nil
	})
	dirs, code := f.parse(args, "one or more evidence folders", 0, -1)
	if code < 0 {
		code = f.oneSource(dirs, *url)
	}
	if code >= 0 {
		return code
	}
	var err error
	if by.since, err = moment(*since); err == nil {
		by.until, err = moment(*until)
	}
	if err == nil {
		err = oneOf(*out, "table", "json")
	}
	if err == nil {
		err = by.known()
	}
	if err == nil {
		err = readable(dirs)
	}
	if err != nil {
		return f.misuse(err.Error())
	}
	opener, err := openSealed(dirs, subjects)
	if err != nil {
		fmt.Fprintf(t.err, "ambit records: %s\n", rationale.Printable(err.Error()))
		return exitUsage
	}
	entries, done, err := evidenceOf(dirs, *url)
	if err != nil {
		fmt.Fprintf(t.err, "ambit records: %s\n", oneLine(err))
		return exitUsage
	}
	defer done()
	all, damaged := readAll(t, opener, entries)
	switch {
	case len(all) == 0 && !damaged && *url != "":
		return f.misuse("the ledger in this database has no records yet")
	case len(all) == 0 && !damaged:
		return f.misuse(noRecords(dirs))
	case *explain != "":
		return t.explainID(all, opener, *explain, damaged)
	}
	chosen := by.choose(all)
	code = exitOK
	if *out == "json" {
		code = t.recordLines(chosen)
	} else {
		t.recordTable(chosen, opener)
	}
	if damaged {
		return exitFailed
	}
	return code
}

// recordKinds are the kinds of records that a journal holds.
var recordKinds = []string{
	string(rationale.KindDecision), string(rationale.KindOutcome), string(rationale.KindSettlement), string(rationale.KindApproval),
	string(rationale.KindReview), string(rationale.KindLifecycle), string(rationale.KindSnapshot), string(rationale.KindCheckpoint),
}

// known refuses what no record can have: a slip would look like a journal without such records.
func (by filter) known() error {
	if by.kind != "" && !slices.Contains(recordKinds, by.kind) {
		return fmt.Errorf("-kind %s: want one of %s", by.kind, strings.Join(recordKinds, ", "))
	}
	switch by.verdict {
	case "", "allow", "pend", "deny":
		return nil
	}
	return fmt.Errorf("-verdict %s: want allow, pend or deny", by.verdict)
}

// moment reads a time, or a duration before now; empty is the zero time.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	var ago time.Duration
	if duration(&ago)(text) == nil {
		return time.Now().Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time: want 2026-11-02T09:30:00Z, or a duration ago such as 24h or 30d", text)
	}
	return at, nil
}

// sealedBy opens sealed records with the keys of several folders. The empty one
// opens none.
type sealedBy []*journal.SubjectReader

func openSealed(dirs, subjects []string) (sealedBy, error) {
	for _, dir := range dirs {
		subjects = append(subjects, filepath.Join(dir, journal.SubjectsFolder))
	}
	var all sealedBy
	for _, dir := range subjects {
		r, err := journal.OpenSubjects(dir).Reader()
		if err != nil && !errors.Is(err, syscall.ENOTDIR) { // a path may be a segment
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// open returns a record open where a key of it is here.
func (s sealedBy) open(rec rationale.Record) (rationale.Record, error) {
	for _, r := range s {
		open, _, err := r.Open(rec)
		if err != nil || open != rec {
			return open, err
		}
	}
	return rec, nil
}

// state says what became of the payload of a record that is still sealed.
func (s sealedBy) state(rec rationale.Record) string {
	if rationale.SealedUnder(rec) == "" {
		return ""
	}
	for _, r := range s {
		if _, erased, _ := r.Open(rec); erased != nil {
			return fmt.Sprintf("erased %s by %s: %s", erased.At.UTC().Format(time.RFC3339), erased.By, erased.Why)
		}
	}
	return "sealed, and its key is not here"
}

// readAll reads every record; what is damaged is printed, the rest returned.
func readAll(t *terminal, opener sealedBy, entries iter.Seq2[journal.Entry, error]) (all []rationale.Record, damaged bool) {
	for entry, err := range entries {
		switch {
		case err == nil:
			rec, err := opener.open(entry.Record)
			if err != nil {
				damaged = true
				fmt.Fprintf(t.err, "%s %s\n", t.paint(red, "damaged:"), rationale.Printable(err.Error()))
			}
			all = append(all, rec)
		case journal.Torn(err):
			fmt.Fprintf(t.err, "ambit: %v (its writer stopped, or is writing it now)\n", err)
		default:
			damaged = true
			fmt.Fprintf(t.err, "%s %v\n", t.paint(red, "damaged:"), err)
		}
	}
	return all, damaged
}

func (by filter) choose(all []rationale.Record) []rationale.Record {
	decisions := by.verdict != "" || by.class != "" || by.authorization != ""
	matched := make(map[string]bool)
	var chosen []rationale.Record
	for _, rec := range all {
		switch r := rec.(type) {
		case *rationale.Decision:
			if decisions && !by.matches(r) {
				continue
			}
			matched[r.ID] = true
		case *rationale.Outcome:
			if decisions && !matched[r.Decision] {
				continue
			}
		case *rationale.Approval:
			if decisions && !matched[r.Ticket] {
				continue
			}
		case *rationale.Review:
			if decisions && !matched[r.Decision] {
				continue
			}
		default:
			if decisions {
				continue
			}
		}
		if by.inTime(rec) && (by.kind == "" || by.kind == string(rec.RecordKind())) {
			chosen = append(chosen, rec)
		}
	}
	return chosen
}

func (by filter) matches(d *rationale.Decision) bool {
	return (by.verdict == "" || d.Verdict.String() == by.verdict) &&
		(by.class == "" || d.Class == by.class) &&
		(by.authorization == "" || d.Authorization != nil && d.Authorization.ID == by.authorization)
}

func (by filter) inTime(rec rationale.Record) bool {
	at := rec.RecordTime()
	return (by.since.IsZero() || !at.Before(by.since)) && (by.until.IsZero() || at.Before(by.until))
}

func (t *terminal) recordLines(chosen []rationale.Record) int {
	for _, rec := range chosen {
		line, err := rationale.Marshal(rec)
		if err != nil {
			fmt.Fprintf(t.err, "ambit records: %s: %v\n", rec.RecordID(), err)
			return exitFailed
		}
		fmt.Fprintln(t.out, terminalJSON(line))
	}
	return exitOK
}

func (t *terminal) recordTable(chosen []rationale.Record, opener sealedBy) {
	b := &table{head: []string{"TIME", "KIND", "TOOL OR DOCUMENT", "CLASS", "TIER", "RESULT", "REASONS", "ID"}}
	for _, rec := range chosen {
		at := rec.RecordTime().UTC().Format("2006-01-02 15:04:05")
		switch r := rec.(type) {
		case *rationale.Decision:
			result := r.Verdict.String()
			if r.Would != nil {
				result += " (observed: " + r.Would.String() + ")"
			}
			b.add(at, "decision", toolName(r.Tool), r.Class, tierName(r), result, reasonList(r.Reasons), r.ID)
		case *rationale.Outcome:
			said := r.Error
			if r.Sealed != nil {
				said = opener.state(r)
			}
			b.add(at, "outcome", "", "", "", string(r.Status), said, "of "+r.Decision)
		case *rationale.Approval:
			b.add(at, "approval", toolName(r.Tool), r.Class, "", string(r.Answer), "by "+r.By.ID, "of "+r.Ticket)
		case *rationale.Review:
			b.add(at, "review", toolName(r.Tool), r.Class, "", string(r.Finding), "by "+r.By.ID, "of "+r.Decision)
		case *rationale.Settlement:
			b.add(at, "settlement", "", "", "", string(r.Status), "by "+r.By+": "+r.Why, "of "+r.Decision)
		case *rationale.Lifecycle:
			message := r.Message
			if r.By != "" {
				message = "by " + r.By + ": " + message
			}
			b.add(at, "lifecycle", r.Document, "", "", string(r.Event), message, r.ID)
		default:
			b.add(at, string(rec.RecordKind()), "", "", "", "", "", rec.RecordID())
		}
	}
	b.write(t, t.out)
	fmt.Fprintf(t.out, "\n%s. Explain one with: ambit records DIR -explain ID\n", count(len(chosen), "record"))
}

func toolName(tool rationale.Tool) string {
	if tool.Server == "" {
		return tool.Name
	}
	return tool.Server + "/" + tool.Name
}

func tierName(d *rationale.Decision) string {
	if d.Class == "" {
		return ""
	}
	if d.Tier != d.BaseTier {
		return d.BaseTier.String() + " → " + d.Tier.String()
	}
	return d.Tier.String()
}

func reasonList(reasons []rationale.Reason) string {
	texts := make([]string, len(reasons))
	for i, r := range reasons {
		texts[i] = string(r)
	}
	return strings.Join(texts, ", ")
}

func (t *terminal) explainID(all []rationale.Record, opener sealedBy, id string, damaged bool) int {
	d, outcome, err := find(all, id)
	if err != nil {
		fmt.Fprintf(t.err, "ambit records: %v\n", err)
		return exitUsage
	}
	t.explain(d, outcome)
	t.field("payload", opener.state(d))
	if damaged {
		return exitFailed
	}
	return exitOK
}

// find returns the decision with an id, or with the only id that starts so,
// and its outcome if it has one.
func find(all []rationale.Record, id string) (*rationale.Decision, *rationale.Outcome, error) {
	var found *rationale.Decision
	for _, rec := range all {
		d, ok := rec.(*rationale.Decision)
		if !ok || !strings.HasPrefix(d.ID, id) {
			continue
		}
		if found != nil && found.ID != d.ID {
			return nil, nil, fmt.Errorf("more than one decision starts with %q: give more of the id", id)
		}
		found = d
	}
	if found == nil {
		return nil, nil, errors.New("there is no decision " + id + ": list them with ambit records DIR -kind decision")
	}
	for _, rec := range all {
		if o, ok := rec.(*rationale.Outcome); ok && o.Decision == found.ID {
			return found, o, nil
		}
	}
	return found, nil, nil
}
