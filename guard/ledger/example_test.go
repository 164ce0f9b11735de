package ledger_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "evidence")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	l, err := ledger.Open(dir) // guard.WithLedger(l)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()

	d := guardtest.Allowed()
	fmt.Println(l.Admit(context.Background(), d), d.Verdict, l.Status(time.Now()).Open)
	fmt.Println(l.Complete(context.Background(), guardtest.OutcomeOf(d)), l.Status(time.Now()).Open)
	// Output:
	// <nil> allow 1
	// <nil> 0
}
