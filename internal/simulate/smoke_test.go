package simulate

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

func TestSmoke(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	for _, home := range []Home{OnFiles, OnLog} {
		if v := os.Getenv("H"); v != "" && v != string(home) {
			continue
		}
		began := time.Now()
		fails := map[string]int{}
		for i := range max(n, 200) {
			h := newHistory(NewPlan(1, i, home))
			tr, err := h.run()
			if err == nil {
				err = check(h.plan, tr)
			}
			if err != nil {
				rule := err.Error()
				if v, ok := err.(*Violation); ok {
					rule = v.Rule
				}
				if fails[rule]++; fails[rule] == 1 {
					fmt.Printf("%s %d: %v\n", home, i, err)
				}
				if os.Getenv("I") == fmt.Sprint(i) {
					fmt.Println(&h.trace)
					dump(h)
				}
			}
		}
		fmt.Println(home, time.Since(began))
		for r, n := range fails {
			fmt.Println(n, r)
		}
	}
}

func dump(h *history) {
	c := newChecker(h.plan, &h.trace)
	for _, f := range c.facts {
		at := ""
		if f.n < len(h.trace.times) {
			at = h.trace.times[f.n].Format("2 15:04:05.000")
		}
		fmt.Println("  rec", f.n, at, f.rec.RecordKind(), short(f.rec.RecordID()), decisionOf(f.rec), f.begin, f.certain, f.event)
	}
	for _, e := range h.trace.events {
		fmt.Println("  ev", e.life, e.begin, e.end, e)
	}
}
