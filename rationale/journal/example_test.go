package journal_test

import (
	"context"
	"fmt"
	"os"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "evidence")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	j, err := journal.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()
	if err := j.Append(context.Background(), &rationale.Decision{ID: "1", Class: "refund"}); err != nil {
		fmt.Println(err) // nothing may act on what is not durable
		return
	}
	for entry, err := range journal.Read(dir) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		d := entry.Record.(*rationale.Decision)
		fmt.Println(entry.Line, d.Class, d.Verdict)
	}
	// Output: 1 refund deny
}
