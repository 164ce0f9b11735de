// Package report writes what was measured: as a table for a terminal or a page,
// as JSON, and as the claims that the numbers support.
package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// ours is the implementation that the others are compared with.
const ours = "ambit"

// elsewhere names the case whose number of ours is compared, where a case has
// none itself.
var elsewhere = map[string]string{"scan-floor": "check"}

// Ratio returns how many times as long a result takes as ours of the same case;
// ok is false where there is nothing to compare with.
func Ratio(results []measure.Result, r measure.Result) (ratio float64, ok bool) {
	base := r.Case
	if other, is := elsewhere[base]; is {
		base = other
	}
	mine, ok := Find(results, base, ours)
	if !ok || mine.NsOp == 0 {
		return 0, false
	}
	return r.NsOp / mine.NsOp, true
}

// Find returns the result of a case and an implementation.
func Find(results []measure.Result, name, impl string) (measure.Result, bool) {
	for _, r := range results {
		if r.Case == name && r.Impl == impl {
			return r, true
		}
	}
	return measure.Result{}, false
}

var header = []string{"case", "implementation", "ns/op", "±", "B/op", "allocs/op", "× ambit"}

// rows are the table's cells below the header; the name of a case stands in its
// first row.
func rows(results []measure.Result) [][]string {
	var all [][]string
	last := ""
	for _, r := range results {
		name, ratio := r.Case, "–"
		if name == last {
			name = ""
		}
		last = r.Case
		if times, ok := Ratio(results, r); ok {
			ratio = figures(times)
		}
		all = append(all, []string{
			name, r.Impl, figures(r.NsOp), fmt.Sprintf("%.0f%%", 100*r.Spread), grouped(r.BOp), grouped(r.AllocsOp), ratio,
		})
	}
	return all
}

// figures writes a number with three significant figures at least.
func figures(f float64) string {
	switch {
	case f < 10:
		return fmt.Sprintf("%.2f", f)
	case f < 100:
		return fmt.Sprintf("%.1f", f)
	default:
		return grouped(int64(f + 0.5))
	}
}

// grouped writes a number with a comma before each three digits.
func grouped(n int64) string {
	if n < 0 {
		return "-" + grouped(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	red   = "\x1b[31m"
	plain = "\x1b[0m"
)

// Table writes results in columns; where colours are wanted, our rows are bold.
func Table(w io.Writer, results []measure.Result, colours bool) error {
	cells := rows(results)
	widths := make([]int, len(header))
	for _, row := range append([][]string{header}, cells...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	line := func(row []string, style string) {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i < 2: // names stand left, numbers right
				b.WriteString(cell + pad + "  ")
			default:
				b.WriteString(pad + cell + "  ")
			}
		}
		text.WriteString(styled(strings.TrimRight(b.String(), " "), style, colours) + "\n")
	}
	line(header, faint)
	for i, row := range cells {
		// Cases of a single row stand together.
		if i > 0 && row[0] != "" && (cells[i-1][0] == "" || i+1 < len(cells) && cells[i+1][0] == "") {
			text.WriteString("\n")
		}
		style := ""
		if row[1] == ours {
			style = bold
		}
		line(row, style)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func styled(text, style string, colours bool) string {
	if !colours || style == "" {
		return text
	}
	return style + text + plain
}

// Markdown writes results as a table for a page.
func Markdown(w io.Writer, results []measure.Result) error {
	var text strings.Builder
	line := func(cells []string) { text.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(header)
	line([]string{"---", "---", "--:", "--:", "--:", "--:", "--:"})
	for _, row := range rows(results) {
		if row[1] == ours {
			row[1] = "**" + ours + "**"
		}
		line(row)
	}
	_, err := io.WriteString(w, text.String())
	return err
}
