package main

import (
	"context"
	"os"
	"testing"

	"github.com/ambit-go/ambit/audit"
)

func TestProf(t *testing.T) {
	dir := "/tmp/auprof"
	if _, err := os.Stat(dir + "/want.json"); err != nil {
		if err := generate(dir, 400000); err != nil {
			t.Fatal(err)
		}
	}
	data, _ := os.ReadFile(dir + "/audit.yaml")
	doc, err := audit.Load(dir+"/audit.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.Run(context.Background(), audit.Config{Document: doc, Only: []audit.Kind{audit.Unexplained}, Findings: func(audit.Finding) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r.Coverage)
}
