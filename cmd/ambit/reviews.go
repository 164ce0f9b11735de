package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
)

const reviewsHelp = `
Usage: ambit reviews [DIR] [-o table|json]
       ambit reviews answer -finding FINDING [-why TEXT] [-action TEXT] DIR DECISION

Lists the actions that owe a review, the next to fall due first. 'ambit records DIR -explain
DECISION' shows one as it is recorded. Or answers one, with a finding:

  upheld               it was right
  upheld_with_action   it was right, and -action says what has to follow
  overturned           it should not have been done; -why is required
  insufficient_record  nobody can tell from the records; -why is required
` + deskHelp + `
Exits with 0 on success, 1 when an answer does not count, 2 when nothing could be asked.
`

func reviews(t *terminal, args []string) int {
	if len(args) > 0 && args[0] == "answer" {
		return answerReview(t, args[1:])
	}
	l := listing[desk.Owed]{desk.Desk.Reviews, owedLine, t.reviewTable}
	return l.command(newFlags(t, "reviews", reviewsHelp), args, "at most one folder, or answer", "table", "json")
}

func answerReview(t *terminal, args []string) int {
	f := newFlags(t, "reviews answer", reviewsHelp)
	df := addDeskFlags(f)
	var r desk.Review
	f.StringVar((*string)(&r.Finding), "finding", "", "upheld, upheld_with_action, overturned or insufficient_record")
	f.StringVar(&r.Why, "why", "", "the reason, as a `TEXT`")
	f.StringVar(&r.Action, "action", "", "what has to follow, as a `TEXT`")
	rest, code := df.parse(f, args, "a folder and a decision", 2, 2)
	if code >= 0 {
		return code
	}
	if r.Finding == "" {
		return f.misuse("want -finding upheld, upheld_with_action, overturned or insufficient_record")
	}
	return t.desk(f, df, rest[0], func(ctx context.Context, d desk.Desk) error {
		r.Decision = rest[1]
		got, err := d.Review(ctx, r)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%s  %s\n", t.paint(green, string(got.Finding)),
			rationale.Printable(fmt.Sprintf("%s of agent %s, by %s", toolName(got.Tool), got.Agent.ID, got.By.ID)))
		return nil
	})
}

// reviewLine is an owed review as JSON.
type reviewLine struct {
	Decision string          `json:"decision"`
	Due      time.Time       `json:"due"`
	Review   bool            `json:"you_can_review"`
	WhyNot   string          `json:"why_not,omitempty"`
	Action   json.RawMessage `json:"action"` // the decision, as far as it is kept at hand
}

func owedLine(o desk.Owed) ([]byte, error) {
	action, err := rationale.Marshal(o.Decision)
	if err != nil {
		return nil, err
	}
	return json.Marshal(reviewLine{Decision: o.Decision.ID, Due: o.Decision.Review.Due, Review: o.WhyNot == "", WhyNot: o.WhyNot, Action: action})
}

func (t *terminal) reviewTable(all []desk.Owed, dir string) {
	if len(all) == 0 {
		fmt.Fprintln(t.out, "No action owes a review.")
		return
	}
	b := &table{head: []string{"DUE", "DONE", "TOOL", "CLASS", "AGENT", "PRICE", "OWED FOR", "BY", "YOU", "DECISION"}}
	for _, o := range all {
		d := o.Decision
		you := "can review"
		if o.WhyNot != "" {
			you = "cannot: " + o.WhyNot
		}
		b.add(d.Review.Due.UTC().Format(time.RFC3339), d.At.UTC().Format(time.RFC3339), toolName(d.Tool), d.Class, d.Agent.ID,
			price(d.Spend), d.Review.Reason, strings.Join(d.Review.By, ", "), you, d.ID)
	}
	b.write(t, t.out)
	fmt.Fprintf(t.out, "\n%s owed. See one with: ambit records %s -explain DECISION\nAnswer it with: ambit reviews answer -finding upheld %[2]s DECISION\n",
		count(len(all), "review"), rationale.Printable(dir))
}
