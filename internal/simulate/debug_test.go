package simulate

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

func TestDebug(t *testing.T) {
	i, _ := strconv.Atoi(os.Getenv("I"))
	seed, _ := strconv.ParseUint(os.Getenv("S"), 10, 64)
	p := NewPlan(seed, i)
	_, err := Run(p)
	if os.Getenv("SHRINK") != "" {
		p = Shrink(p)
	}
	tr, _, err := run(p)
	fmt.Println(err)
	fmt.Println(tr)
	c := newChecker(p, tr)
	for _, f := range c.facts {
		at := ""
		if f.n < len(tr.times) {
			at = tr.times[f.n].Format("2 15:04:05.000")
		}
		fmt.Println("  rec", f.n, at, f.rec.RecordKind(), short(f.rec.RecordID()), decisionOf(f.rec), f.begin, f.certain, f.event)
	}
	for _, e := range tr.events {
		fmt.Println("  ev", e.life, e.begin, e.end, e)
	}
}
