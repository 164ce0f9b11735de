package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const verifyHelp = `
Usage: ambit verify PATH… [-against FILE]… [-key BASE64]… [-head JOURNAL:SEQ:HASH]… [-o table|json]
       ambit verify -postgres URL …

Checks that records are whole and unchanged: checksums, the hash chain, the sequence,
signed checkpoints, and that every decision that allowed a call has exactly one outcome.
PATHs are evidence folders, archives of their segments, or single segments; what belongs
to one journal is read together; -postgres names the database of a shared ledger instead. Nothing
is changed, and a host may be at work.

With -key, every checkpoint must be signed by a given key, and every journal must have
one, no more than -unsigned records before its end: whoever rewrites records must leave out
the checkpoints behind them. -head compares with the end of a journal as it was kept
elsewhere, such as on a span: records that were cut from the end of a journal leave no other
trace.

-against compares every record with what a telemetry backend holds of it: FILE has its spans
as OTLP JSON (as the Collector's file exporter writes it, one message a line, or as Tempo
and Jaeger's API v3 answer) or is the answer of Jaeger's /api/traces. A record that the
backend has and the journal does not, or not the same, is a problem. What the backend does
not have (yet) is listed, and is none. Spans of a journal that no PATH holds are a problem
too, unless -others says that the backend serves other hosts.

Exits with 0 when all is sound, 1 when something is not, 2 on misuse.
`

func verify(t *terminal, args []string) int {
	f := newFlags(t, "verify", verifyHelp)
	var expect journal.Expect
	f.Func("key", "an Ed25519 public key of checkpoints, raw in `BASE64`; may be given again", func(text string) error {
		key, err := publicKey(text)
		expect.Keys = append(expect.Keys, key)
		return err
	})
	f.Uint64Var(&expect.Unsigned, "unsigned", journal.MaxUnsigned, "with -key: how many `RECORDS` may follow the last checkpoint of a journal; a host signs after every 1000")
	f.Func("head", "`JOURNAL:SEQ:HASH` of a record, as it was kept elsewhere; may be given again", func(text string) error {
		head, err := parseHead(text)
		expect.Heads = append(expect.Heads, head)
		return err
	})
	var files []string
	f.Func("against", "a `FILE` with the spans that a backend holds; may be given again", func(name string) error {
		files = append(files, name)
		return nil
	})
	others := f.Bool("others", false, "with -against: the backend has spans of other hosts' journals")
	url := f.String("postgres", "", postgresFlag)
	out := f.output("table", "json")
	paths, code := f.parse(args, "one or more evidence folders", 0, -1)
	if code < 0 {
		code = f.oneSource(paths, *url)
	}
	if code >= 0 {
		return code
	}
	if err := oneOf(*out, "table", "json"); err != nil {
		return f.misuse(err.Error())
	}
	if *others && len(files) == 0 {
		return f.misuse("-others goes with -against")
	}
	backend, err := testimonies(files)
	if err != nil {
		return f.misuse(err.Error())
	}
	entries, done, err := evidenceOf(paths, *url)
	if err != nil {
		fmt.Fprintf(t.err, "ambit verify: %s\n", oneLine(err))
		return exitUsage
	}
	defer done()
	var report journal.Report
	if *url == "" {
		report = journal.Verify(expect, paths...)
	} else {
		report = journal.VerifyEntries(expect, entries)
	}
	var agreement []compared
	if len(files) > 0 {
		var differ []error
		agreement, differ = backend.compare(*others, entries)
		report.Problems = append(report.Problems, differ...)
	}
	if *out == "json" {
		if err := t.verifiedJSON(report, agreement); err != nil {
			fmt.Fprintf(t.err, "ambit verify: %v\n", err)
			return exitFailed
		}
	} else {
		t.verified(report, func() {
			if len(files) > 0 {
				t.comparedTable(backend, agreement)
			}
		})
	}
	for _, problem := range report.Problems {
		fmt.Fprintf(t.err, "%s %s\n", t.paint(red, "problem:"), rationale.Printable(problem.Error()))
	}
	if len(report.Problems) > 0 {
		return exitFailed
	}
	return exitOK
}

// verifiedJSON prints one line for each journal, each comparison and each problem.
func (t *terminal) verifiedJSON(report journal.Report, agreement []compared) error {
	var all []any
	for _, j := range report.Journals {
		all = append(all, j)
	}
	for _, c := range agreement {
		all = append(all, map[string]compared{"against": c})
	}
	for _, problem := range report.Problems {
		all = append(all, map[string]string{"problem": problem.Error()})
	}
	for _, one := range all {
		line, err := json.Marshal(one)
		if err != nil {
			return err
		}
		fmt.Fprintln(t.out, terminalJSON(line))
	}
	return nil
}

// verified prints what is known of each journal, and more, before the sum of it.
func (t *terminal) verified(report journal.Report, more func()) {
	b := &table{head: []string{"JOURNAL", "SEGMENTS", "RECORDS", "DECISIONS", "OUTCOMES", "OPEN", "SIGNED TO", "HEAD"}}
	for _, j := range report.Journals {
		signed := "-"
		if j.Signed > 0 {
			signed = strconv.FormatUint(j.Signed, 10)
		}
		b.add(j.ID, strconv.Itoa(j.Segments), fmt.Sprintf("%d to %d", j.First, j.Head.Seq), strconv.Itoa(j.Decisions),
			strconv.Itoa(j.Outcomes), strconv.Itoa(j.Open), signed, j.Head.Hash)
	}
	if len(report.Journals) > 0 {
		b.write(t, t.out)
		fmt.Fprintln(t.out)
	}
	for _, j := range report.Journals {
		if j.First > 1 && j.Retired {
			fmt.Fprintf(t.out, "Journal %s begins here with record %d: the ones before were retired.\n", rationale.Printable(j.ID), j.First)
		}
		if j.Torn {
			fmt.Fprintf(t.out, "Journal %s ends in the middle of a write. A crash, or a host at work, loses nothing by that; whether somebody cut it, -against and -head tell.\n", rationale.Printable(j.ID))
		}
	}
	more()
	if len(report.Problems) == 0 {
		fmt.Fprintln(t.out, t.paint(green, "All is sound."))
		return
	}
	fmt.Fprintf(t.out, "%s\n", t.paint(red, count(len(report.Problems), "problem")+"."))
}

func publicKey(text string) (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("want the base64 of the %d bytes of a raw public key", ed25519.PublicKeySize)
	}
	return key, nil
}

func parseHead(text string) (rationale.Head, error) {
	journal, rest, _ := strings.Cut(text, ":")
	number, hash, _ := strings.Cut(rest, ":")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || journal == "" || !strings.HasPrefix(hash, "sha256:") {
		return rationale.Head{}, fmt.Errorf("want JOURNAL:SEQ:HASH, such as 0193a1b2-…:17:sha256:…")
	}
	return rationale.Head{Journal: journal, Seq: seq, Hash: hash}, nil
}
