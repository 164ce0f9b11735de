package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// Claim is something that the project says of its speed, as a ratio of numbers of
// one run, or as a count.
type Claim struct {
	Text string
	// Limit is what Got may be at most, or where AtLeast says so, must be.
	Limit   float64
	AtLeast bool
	// Counted says that Got is counted, not timed: it does not vary.
	Counted bool
	Got     float64
	// Missing says that the results do not have what the claim is about.
	Missing bool
}

// Holds reports whether the claim holds. Slack, at least 1, is by how much a
// timed one may miss its limit.
func (c Claim) Holds(slack float64) bool {
	switch {
	case c.Missing:
		return false
	case c.Counted:
		slack = 1
	}
	if c.AtLeast {
		return c.Got*slack >= c.Limit
	}
	return c.Got <= c.Limit*slack
}

// peers are the other engines that do what a check does.
var peers = []string{"cel-go+encoding/json", "cel-go+encoding/json-struct", "expr", "cedar-go", "opa"}

// Claims returns every claim, with what the results say of it.
func Claims(results []measure.Result) []Claim {
	f := finder{results: results}
	times := func(name, impl string) float64 { return f.over(f.ns(name, impl), f.ns(name, ours)) }
	all := []Claim{
		f.claim("eval: cel-go takes so many times as long", 20, true, func() float64 { return times("eval", "cel-go") }),
		f.claim("eval: times as long as handwritten Go", 6, false, func() float64 { return 1 / times("eval", "handwritten") }),
		f.counted("eval: allocations", 0, func() float64 { return f.allocs("eval", ours) }),
		f.claim("eval-complex: cel-go takes so many times as long", 5, true, func() float64 { return times("eval-complex", "cel-go") }),
		f.claim("check: cel-go with encoding/json takes so many times as long", 5, true,
			func() float64 { return times("check", "cel-go+encoding/json") }),
		f.claim("check: times as long as a bare token pass", 1.8, false,
			func() float64 { return f.over(f.ns("check", ours), f.ns("scan-floor", "scan-floor")) }),
		f.claim("check: the fastest peer takes so many times as long", 1, true, func() float64 { return f.fastest("check", times) }),
		f.claim("check-deny: the fastest peer takes so many times as long", 1, true, func() float64 { return f.fastest("check-deny", times) }),
		f.counted("check: allocations", 1, func() float64 { return f.allocs("check", ours) }),
		f.claim("scale-10k: times as long as among ten classes", 1.3, false,
			func() float64 { return f.over(f.ns("scale-10k", ours), f.ns("scale-10", ours)) }),
		f.claim("parallel: speed-up, as a part of the token pass's", 0.9, true, f.speedUp),
		f.claim("load-10k: times as long as bare YAML and cel-go", 1.3, false, func() float64 { return 1 / times("load-10k", "yaml+cel-go") }),
		f.counted("load-10k: KiB of live memory a class", 20, func() float64 { return f.bytes("load-10k-live", ours) / 1024 }),
		f.claim("governed-otel: times as long as the spans by hand", 1.5, false,
			func() float64 { return 1 / times("governed-otel", "handwritten") }),
		f.claim("governed-sync: times as long as two appends with fsync", 1.6, false,
			func() float64 { return f.over(f.ns("governed-sync", ours), f.ns("fsync-floor", "fsync-floor")) }),
		f.claim("governed-sync-64: times as many calls as one goroutine", 10, true,
			func() float64 { return f.over(f.ns("governed-sync", ours), f.ns("governed-sync-64", ours)) }),
		f.claim("governed-os: times as long as governed and two appends", 1.2, false,
			func() float64 {
				return f.over(f.ns("governed-os", ours), f.ns("governed", ours)+f.ns("write-floor", "write-floor"))
			}),
		f.claim("governed-os: times as long as two appends", 8, false,
			func() float64 { return f.over(f.ns("governed-os", ours), f.ns("write-floor", "write-floor")) }),
		f.claim("admit-pg: times as long as a bare transaction", 2, false,
			func() float64 { return f.over(f.ns("admit-pg", ours), f.ns("pg-floor", "pg-floor")) }),
		f.counted("admit-memory: KiB kept of 1,000,000 calls in a day's window", 256, func() float64 { return f.bytes("admit-memory", ours) / 1024 }),
	}
	return all
}

// finder looks results up, and remembers if one was missing.
type finder struct {
	results []measure.Result
	missing bool
}

func (f *finder) claim(text string, limit float64, atLeast bool, got func() float64) Claim {
	f.missing = false
	c := Claim{Text: text, Limit: limit, AtLeast: atLeast, Got: got()}
	c.Missing = f.missing
	return c
}

func (f *finder) counted(text string, limit float64, got func() float64) Claim {
	c := f.claim(text, limit, false, got)
	c.Counted = true
	return c
}

func (f *finder) find(name, impl string) measure.Result {
	r, ok := Find(f.results, name, impl)
	f.missing = f.missing || !ok
	return r
}

func (f *finder) ns(name, impl string) float64     { return f.find(name, impl).NsOp }
func (f *finder) allocs(name, impl string) float64 { return float64(f.find(name, impl).AllocsOp) }
func (f *finder) bytes(name, impl string) float64  { return float64(f.find(name, impl).BOp) }

func (f *finder) over(a, b float64) float64 {
	if b == 0 {
		f.missing = true
		return 0
	}
	return a / b
}

func (f *finder) fastest(name string, times func(name, impl string) float64) float64 {
	least := times(name, peers[0])
	for _, p := range peers[1:] {
		least = min(least, times(name, p))
	}
	return least
}

// speedUp is how much faster the check is on all cores than on one, divided by
// the same of the token pass, which shares nothing.
func (f *finder) speedUp() float64 {
	check := f.over(f.ns("check", ours), f.ns("parallel", ours))
	floor := f.over(f.ns("scan-floor", "scan-floor"), f.ns("parallel", "scan-floor"))
	return f.over(check, floor)
}

// WriteClaims writes one line for each claim, and returns how many do not hold
// and how many could not be told.
func WriteClaims(w io.Writer, claims []Claim, slack float64, colours bool) (broken, missing int, err error) {
	var text strings.Builder
	for _, c := range claims {
		limit := "at most "
		if c.AtLeast {
			limit = "at least "
		}
		limit += strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.1f", c.Limit), "0"), ".")
		word, style := "holds", ""
		switch {
		case c.Missing:
			missing++
			fmt.Fprintf(&text, "%-62s %9s  %-13s  not measured\n", c.Text, "–", limit)
			continue
		case !c.Holds(1) && c.Holds(slack):
			word = "holds within the slack"
		case !c.Holds(slack):
			broken++
			word, style = "DOES NOT HOLD", red
		}
		fmt.Fprintf(&text, "%-62s %9s  %-13s  %s\n", c.Text, figures(c.Got), limit, styled(word, style, colours))
	}
	_, err = io.WriteString(w, text.String())
	return broken, missing, err
}
