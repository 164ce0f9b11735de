package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/govalues/decimal"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
)

// tally counts the decisions of one class.
type tally struct {
	calls, allowed, pending, denied, reviews int

	spend    decimal.Decimal // that allowed calls committed to, for a day each
	currency string
}

// tallies counts by class.
func tallies(decisions []*rationale.Decision) (map[string]*tally, error) {
	by := map[string]*tally{}
	for _, d := range decisions {
		t := by[d.Class]
		if t == nil {
			t = &tally{}
			by[d.Class] = t
		}
		t.calls++
		switch d.Verdict {
		case rationale.Allow:
			t.allowed++
			if err := t.commit(d.Spend); err != nil {
				return nil, fmt.Errorf("decision %s: %w", d.ID, err)
			}
		case rationale.Pend:
			t.pending++
		default:
			t.denied++
		}
		if d.Review != nil {
			t.reviews++
		}
	}
	return by, nil
}

func (t *tally) commit(s *rationale.Spend) error {
	if s == nil || s.Amount == "" {
		return nil
	}
	amount, err := decimal.Parse(s.Amount)
	if err != nil {
		return err
	}
	t.currency = s.Currency
	t.spend, err = t.spend.Add(amount)
	return err
}

const row = "%-18s %6v %8v %8v %7v %8v%s\n"

// summary prints what happened by class, how the goal was met, and where to
// look further.
func (s *screen) summary(score fleet.Score, budgets []ledger.Budget, o options, e *evidence) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	by, err := tallies(s.decisions)
	if err != nil {
		return err
	}
	fmt.Fprint(s.out, "\n", s.style(bold, fmt.Sprintf(row, "class", "calls", "allowed", "pending", "denied", "reviews", "  committed")))
	for _, class := range slices.Sorted(maps.Keys(by)) {
		t := by[class]
		spend := ""
		if t.currency != "" {
			spend = "  " + t.spend.String() + " " + t.currency
		}
		fmt.Fprintf(s.out, row, cmp.Or(class, "(no class)"), t.calls, t.allowed, t.pending, t.denied, t.reviews, spend)
	}
	if err := s.windows(budgets); err != nil {
		return err
	}
	met, style := "met", green
	if !score.GoalMet() {
		met, style = "missed", red
	}
	fmt.Fprintf(s.out, "\nlatency   goal %s: p95 %s of %d requests; within it in %d of %d minutes (%d %%)\n",
		s.style(style, met), shortly(score), score.Requests, score.Met, score.Minutes, 100*score.Met/max(score.Minutes, 1))
	fmt.Fprintf(s.out, "records   %s\nspans     %s\n", e.ledger.Journal().Dir(), e.spans)
	s.commands(o)
	return nil
}

const windowRow = "%-18s %-26s %12v %12v %12v\n"

// windows prints what was spent of each limit over time, and what is left.
func (s *screen) windows(budgets []ledger.Budget) error {
	fmt.Fprint(s.out, "\n", s.style(bold, fmt.Sprintf(windowRow, "window of", "per", "limit", "spent", "left")))
	for _, b := range budgets {
		if b.Kind != rationale.CheckWindow {
			continue
		}
		left, err := decimal.Parse(b.Limit)
		for _, counts := range []string{b.Spent, b.Reserved, b.Held} {
			amount, unreadable := decimal.Parse(counts)
			if err = cmp.Or(err, unreadable); err == nil {
				left, err = left.Sub(amount)
			}
		}
		if err != nil {
			return fmt.Errorf("the window of %s: %w", b.Class+b.CostCentre, err)
		}
		per := strings.TrimSuffix(b.Per, "0m0s")
		if b.Zone != "" {
			per += " in " + b.Zone
		}
		fmt.Fprintf(s.out, windowRow, cmp.Or(b.Class, b.CostCentre), per, b.Limit+" "+b.Currency, b.Spent, left.Trim(0))
	}
	return nil
}

func shortly(score fleet.Score) string {
	if score.Unfinished*20 > score.Requests {
		return "unbounded"
	}
	return fmt.Sprintf("%.2f s", score.P95.Seconds())
}

// commands names what to run next, with a decision worth reading.
func (s *screen) commands(o options) {
	dir := quote(o.evidence)
	fmt.Fprintf(s.out, "\nLook further:\n")
	fmt.Fprintf(s.out, "  go run ./cmd/ambit records %s\n", dir)
	fmt.Fprintf(s.out, "  go run ./cmd/ambit records -verdict deny %s\n", dir)
	for _, d := range s.decisions {
		if d.Verdict == rationale.Pend {
			fmt.Fprintf(s.out, "  go run ./cmd/ambit records -explain %s %s\n", d.ID, dir)
			break
		}
	}
	fmt.Fprintf(s.out, "  go run ./cmd/ambit audit %s\n", quote(o.auditFile()))
	fmt.Fprintf(s.out, "  go run ./cmd/ambit inventory %s\n", dir)
	fmt.Fprintf(s.out, "  go run ./cmd/ambit vet -manifest %s examples/autoscaler/policy\n", quote(o.manifest()))
}

// quote makes a path one word of a shell.
func quote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
