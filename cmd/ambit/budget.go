package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/internal/money"
	"github.com/ambit-go/ambit/rationale"
)

const budgetHelp = `
Usage: ambit budget [DIR] [-o table|json]

Lists every limit over time of which calls took: what is spent, reserved by calls whose
outcome is expected, held until somebody settles what became of a call, and left. In the
bar, # is spent, = reserved, ? held, and . left; one that ends with ! is passed.
The limit is what the documents said when something was last admitted.
` + deskHelp + `
Exits with 0 on success, 2 when nothing could be asked.
`

func budget(t *terminal, args []string) int {
	l := listing[ledger.Budget]{desk.Desk.Budgets, marshal[ledger.Budget], t.budgetTable}
	return l.command(newFlags(t, "budget", budgetHelp), args, "at most one folder", "table", "json")
}

func (t *terminal) budgetTable(all []ledger.Budget, dir string) {
	if len(all) == 0 {
		fmt.Fprintln(t.out, "Nothing was taken of any limit yet.")
		return
	}
	b := &table{
		head:    []string{"OF", "AGENT", "PER", "LIMIT", "SPENT", "RESERVED", "HELD", "LEFT", "", ""},
		numbers: map[int]bool{3: true, 4: true, 5: true, 6: true, 7: true},
	}
	held := false
	for _, one := range all {
		of, unit := one.Authorization+" "+one.Class, one.Currency
		if one.CostCentre != "" {
			of = "cost centre " + one.CostCentre
		}
		if one.Kind == rationale.CheckRate {
			unit = "calls"
		}
		held = held || one.Held != "0"
		b.add(of, strings.TrimSpace(one.Agent+" "+one.Environment), period(one), cells(one.Limit), one.Spent, one.Reserved, one.Held, cells(one.Left), unit, bar(one))
	}
	b.write(t, t.out)
	if held {
		fmt.Fprintln(t.out, "\nWhat is held counts until somebody says what became of the call: ambit settle "+rationale.Printable(dir))
	}
}

// cells shows that a number is not known.
func cells(number string) string {
	if number == "" {
		return "?"
	}
	return number
}

// period names a window as documents do: 24h, or the month of a time zone.
func period(b ledger.Budget) string {
	if b.Zone == "" {
		per := b.Per
		for _, unit := range []string{"m0s", "h0m"} {
			if strings.HasSuffix(per, unit) {
				per = per[:len(per)-2]
			}
		}
		return per
	}
	return fmt.Sprintf("%s from %s (%s)", b.Per, b.From.UTC().Format(time.RFC3339), b.Zone)
}

// barWidth is the length of a bar, in characters.
const barWidth = 20

// bar draws what counts against a limit. What is left is rounded down, so that a bar
// without a dot has less than a twentieth left.
func bar(b ledger.Budget) string {
	limit, known := money.Parse(b.Limit)
	if !known {
		return ""
	}
	var s strings.Builder
	var sum money.Amount
	for _, part := range []struct{ amount, mark string }{{b.Spent, "#"}, {b.Reserved, "="}, {b.Held, "?"}} {
		var amount money.Amount
		if amount.UnmarshalText([]byte(part.amount)) != nil {
			return ""
		}
		sum = sum.Plus(amount)
		for s.Len() < barWidth && reaches(sum, limit, s.Len()) {
			s.WriteString(part.mark)
		}
	}
	text := s.String() + strings.Repeat(".", barWidth-s.Len())
	if sum.Compare(limit) > 0 {
		text += "!"
	}
	return text
}

// reaches reports whether a sum is more than n of the parts of a bar for the limit.
func reaches(sum, limit money.Amount, n int) bool {
	var parts, whole money.Amount
	for range barWidth {
		parts = parts.Plus(sum)
	}
	for range n {
		whole = whole.Plus(limit)
	}
	return parts.Compare(whole) > 0
}
