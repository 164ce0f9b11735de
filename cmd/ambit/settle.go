package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
)

const settleHelp = `
Usage: ambit settle [DIR] [-o table|json]
       ambit settle DIR DECISION -status STATUS [-spent AMOUNT] -why TEXT

Lists the calls that hold a budget because nobody knows what became of them: the outcome
is unknown, or did not come in time. Or says of one what became of it, which frees what it
took and did not spend:

  success        it ran; -spent is what it cost
  error          it ran and failed; -spent is what it cost all the same
  not_executed   it did not run, and cost nothing

Who settles is named by the authority matrix (settlement: {by: […]}), and is neither who
asked for the call nor the owner of the authorization.
` + deskHelp + `
Exits with 0 on success, 1 when a settlement does not count, 2 when nothing could be asked.
`

func settle(t *terminal, args []string) int {
	f := newFlags(t, "settle", settleHelp)
	df := addDeskFlags(f)
	var s desk.Settlement
	f.StringVar((*string)(&s.Status), "status", "", "what became of the call: success, error or not_executed")
	f.StringVar(&s.Spent, "spent", "", "the `AMOUNT` that it cost, such as 129.95, in the currency of what is held")
	f.StringVar(&s.Why, "why", "", "on what ground, as a `TEXT`, such as the number of a statement; recorded")
	out := f.output("table", "json")
	rest, code := df.parse(f, args, "a folder, and a decision to settle it", 0, 2)
	if code >= 0 {
		return code
	}
	if err := oneOf(*out, "table", "json"); err != nil {
		return f.misuse(err.Error())
	}
	if len(rest) < 2 {
		if s != (desk.Settlement{}) {
			return f.misuse("want the folder and the decision to settle")
		}
		return listing[ledger.Held]{desk.Desk.Held, marshal[ledger.Held], t.held}.print(f, df, folder(rest), *out)
	}
	if s.Status == "" || strings.TrimSpace(s.Why) == "" {
		return f.misuse("want -status success, error or not_executed, and -why")
	}
	return t.desk(f, df, rest[0], func(ctx context.Context, d desk.Desk) error {
		s.Decision = rest[1]
		got, err := d.Settle(ctx, s)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%s  %s\n", t.paint(green, "settled"), rationale.Printable(fmt.Sprintf("%s as %s, by %s", got.Decision, got.Status, got.By)))
		return nil
	})
}

func (t *terminal) held(all []ledger.Held, dir string) {
	if len(all) == 0 {
		fmt.Fprintln(t.out, "No call waits for a settlement.")
		return
	}
	b := &table{head: []string{"ADMITTED", "TOOL", "AUTHORIZATION", "CLASS", "AGENT", "FOR", "HELD", "DECISION"}}
	for _, h := range all {
		b.add(h.At.UTC().Format(time.RFC3339), toolName(rationale.Tool{Server: h.Server, Name: h.Tool}), h.Authorization, h.Class, h.Agent,
			h.OnBehalfOf, strings.TrimSpace(h.Amount+" "+h.Currency), h.Decision)
	}
	b.write(t, t.out)
	fmt.Fprintf(t.out, "\n%s held. Settle one with: ambit settle %s DECISION -status success -spent AMOUNT -why TEXT\n",
		count(len(all), "call"), rationale.Printable(dir))
}
