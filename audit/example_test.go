package audit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ambit-go/ambit/audit"
)

// An act that no record explains.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"trail.json": `{"Records":[{"eventID":"1","eventTime":"2026-11-02T09:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser",
			"readOnly":false,"userIdentity":{"arn":"arn:aws:iam::111122223333:user/support-bot"}}]}`,
		"audit.yaml": `
apiVersion: ambit/v1
kind: Audit
id: support
agents: [{id: support-bot, principals: ["arn:aws:iam::111122223333:user/support-bot"]}]
records: [.]
logs: [{name: trail, format: cloudtrail, paths: [trail.json]}]
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			fmt.Println(err)
			return
		}
	}
	name := filepath.Join(dir, "audit.yaml")
	data, err := os.ReadFile(name)
	if err != nil {
		fmt.Println(err)
		return
	}
	doc, err := audit.Load(name, data)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := audit.Run(context.Background(), audit.Config{Document: doc, Findings: func(f audit.Finding) error {
		fmt.Println(f.Kind, f.Why)
		return nil
	}})
	fmt.Println(report.Coverage.Mutating, err)
	// Output:
	// unexplained arn:aws:iam::111122223333:user/support-bot did iam:CreateUser, and no record explains it
	// 1 <nil>
}
