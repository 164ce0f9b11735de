package simulate

import (
	"fmt"
	"testing"
	"github.com/ambit-go/ambit/rationale/journal"
)

func TestDebug269(t *testing.T) {
	h := newHistory(NewPlan(1, 269, OnFiles))
	p := h.plan
	_ = p
	dumpFS := func(tag string) {
		fmt.Println("---", tag)
		for e, err := range journal.ReadFS(h.fs, folder) {
			if err != nil {
				fmt.Println("   err", err)
				continue
			}
			fmt.Println("   ", e.File, e.Envelope.Seq, e.Record.RecordKind(), short(e.Record.RecordID()))
		}
		for n, b := range h.fs.Files(folder) {
			fmt.Println("   file", n, len(b))
		}
	}
	debugKill = func(tag string) { dumpFS(tag) }
	_, err := h.run()
	fmt.Println(err)
}
