package control_test

import (
	"fmt"
	"os"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/guard/ledger/control"
)

func ExampleListen() {
	dir, err := os.MkdirTemp("", "evidence")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	evidence, err := ledger.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer evidence.Close()
	matrix := authority.Document{Name: "matrix.yaml", Data: []byte(`apiVersion: ambit/v1
kind: AuthorityMatrix
bodies: [{id: board, may_grant: {domains: [payments]}}]
users: {local: {berg: {id: s.berg@bank.example, groups: [payables-leads]}}}
`)}
	g, err := guard.New([]authority.Document{matrix}, guard.Agent{ID: "payables", Environment: "prod"},
		guard.WithLedger(evidence), guard.AllowUnsigned())
	if err != nil {
		fmt.Println(err)
		return
	}
	people, err := control.Listen(evidence, g.LocalUser) // now: ambit approvals DIR
	if err != nil {
		fmt.Println(err)
		return
	}
	defer people.Close()

	berg, err := g.LocalUser("berg")
	fmt.Println(berg.ID, berg.Groups, err)
	_, err = g.LocalUser("root")
	fmt.Println(err)
	// Output:
	// s.berg@bank.example [payables-leads] <nil>
	// matrix.yaml has no entry users.local.root: it would say who that OS user is, as in users: {local: {root: {id: PERSON, groups: [GROUP]}}}
}
