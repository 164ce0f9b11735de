package simulate

import (
	"fmt"
	"testing"
	"time"
)

func TestSmoke(t *testing.T) {
	for _, home := range []Home{OnFiles, OnLog} {
		began := time.Now()
		n := 0
		for i := range 200 {
			h := newHistory(NewPlan(1, i, home))
			tr, err := h.run()
			if err != nil {
				t.Errorf("%s %d: %v", home, i, err)
				if len(h.trace.log) > 0 {
					fmt.Println(&h.trace)
				}
				return
			}
			n += len(tr.events)
			if i == 3 {
				fmt.Println(tr)
				fmt.Println(len(tr.records))
			}
		}
		fmt.Println(home, n, time.Since(began))
	}
}
