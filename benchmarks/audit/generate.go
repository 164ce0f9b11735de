package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ambit-go/ambit/audit"
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const document = `
apiVersion: ambit/v1
kind: Audit
id: benchmark
agents:
  - {id: scaler, principals: ["arn:aws:sts::111122223333:assumed-role/scaler/*"]}
records: [evidence]
logs:
  - {name: trail, format: cloudtrail, paths: [logs]}
tools:
  - tool: ec2.launch
    events:
      - {action: "ec2:RunInstances", match: [{event: requestParameters.subnetId, argument: subnet}]}
      - {action: "ec2:CreateTags", match: [{event: requestParameters.tag, argument: tag}]}
until: 2036-01-01T00:00:00Z
`

// expected is what an audit of the data must find.
type expected struct{ Explained, Weakly, Unexplained int }

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// generator writes a journal, its bodies once more for the bare pass, and the
// events of its calls in files of 10,000, as the cloud delivers them: nearly in
// the order of time.
type generator struct {
	dir     string
	journal *journal.Journal
	bodies  *bufio.Writer
	batch   []rationale.Record
	events  []map[string]any
	files   int
	want    expected
}

func generate(dir string, n int) (err error) {
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "audit.yaml"), []byte(document), 0o600); err != nil {
		return err
	}
	g := &generator{dir: dir}
	if g.journal, err = journal.Open(filepath.Join(dir, "evidence"), journal.WithClock(func() time.Time { return start })); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.journal.Close()) }()
	bodies, err := os.Create(filepath.Join(dir, "bodies.jsonl"))
	if err != nil {
		return err
	}
	defer bodies.Close()
	g.bodies = bufio.NewWriter(bodies)
	for i := range n / 2 {
		if err := g.call(i); err != nil {
			return err
		}
	}
	if err := errors.Join(g.flushRecords(), g.flushEvents(), g.bodies.Flush()); err != nil {
		return err
	}
	text, err := json.Marshal(g.want)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "want.json"), text, 0o600)
}

// call writes the records of one call, and its two events.
func (g *generator) call(i int) error {
	at := start.Add(time.Duration(i) * 500 * time.Millisecond)
	ended := at.Add(2 * time.Second)
	d := decision(i, at)
	o := &rationale.Outcome{ID: rationale.NewID(ended), At: ended, Decision: d.ID, Started: at, Status: rationale.StatusSuccess, ResultBytes: 120, ResultDigest: digest}
	g.batch = append(g.batch, d, o)
	key := "ambit/1 decision/" + d.ID
	switch {
	case i%1000 == 999:
		g.want.Unexplained++
		g.want.Explained++
		g.event(i, 0, at, "CreateAccessKey", map[string]any{"userName": fmt.Sprint("u", i)}, "aws-cli/2")
		g.event(i, 1, at, "RunInstances", map[string]any{"subnetId": fmt.Sprint("subnet-", i)}, key)
	case i%10 == 5:
		g.want.Weakly += 2
		key = "aws-sdk-go-v2/1.32"
		fallthrough
	default:
		if i%10 != 5 {
			g.want.Explained += 2
		}
		g.event(i, 0, at, "RunInstances", map[string]any{"subnetId": fmt.Sprint("subnet-", i)}, key)
		g.event(i, 1, at.Add(time.Second), "CreateTags", map[string]any{"tag": fmt.Sprint("tag-", i)}, key)
	}
	if len(g.batch) >= 2000 {
		if err := g.flushRecords(); err != nil {
			return err
		}
	}
	if len(g.events) >= 10_000 {
		return g.flushEvents()
	}
	return nil
}

const digest = "sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"

func decision(i int, at time.Time) *rationale.Decision {
	return &rationale.Decision{
		ID: rationale.NewID(at), At: at, Verdict: rationale.Allow, Standing: rationale.StandingActive, Class: "scaling.nodes", Domain: "scaling", Effect: "write",
		BaseTier: classify.Parameterized, Tier: classify.Parameterized,
		Agent: rationale.Agent{ID: "scaler", Environment: "prod", Session: "shift-1"},
		Model: rationale.Model{Provider: "anthropic", Name: "claude-sonnet-4-5", Version: "20250929", Basis: "configured", Pin: rationale.Match},
		Tool:  rationale.Tool{Name: "ec2.launch", Digest: digest, Pin: rationale.Match}, CallID: fmt.Sprint("call-", i),
		Arguments:       fmt.Appendf(nil, `{"count":1,"subnet":"subnet-%d","tag":"tag-%d"}`, i, i),
		ArgumentsDigest: digest, ActionDigest: digest,
		Authorization: &rationale.AuthorizationRef{
			ID: "scaler", Version: 4, Digest: digest, Owner: "m.okafor@bank.example", Body: "cloud-cab", GrantedBy: []string{"j.lindqvist@bank.example"},
			GrantedAt: start, Expires: start.AddDate(5, 0, 0), NextReview: start.AddDate(5, 0, 0),
		},
		Checks: []rationale.Check{{
			Kind: rationale.CheckBound, ID: "bounds[0]", Why: "CAP-114 capacity envelope", Result: rationale.Passed,
			Inputs: []rationale.Input{{Path: "args.count", Value: []byte("1")}},
		}},
		Rationale: &rationale.Rationale{Purpose: "more load is coming, and the nodes that there are will not do"},
	}
}

func (g *generator) event(i, part int, at time.Time, name string, parameters map[string]any, userAgent string) {
	const account = "111122223333"
	g.events = append(g.events, map[string]any{
		"eventVersion": "1.09", "eventCategory": "Management", "eventType": "AwsApiCall", "managementEvent": true, "readOnly": false,
		"eventID":   fmt.Sprintf("%08x-%04x-4aaa-8bbb-%012x", uint32(i*2654435761), part, i),
		"requestID": fmt.Sprintf("%08x-%04x-4ccc-8ddd-%012x", uint32(i*2246822519), part, i),
		"eventTime": at.Format(time.RFC3339), "eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": "eu-west-1",
		"recipientAccountId": account, "sourceIPAddress": "198.51.100.7", "userAgent": userAgent,
		"tlsDetails": map[string]any{"cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": "ec2.eu-west-1.amazonaws.com", "tlsVersion": "TLSv1.3"},
		"userIdentity": map[string]any{
			"type": "AssumedRole", "accessKeyId": "ASIAEXAMPLE", "accountId": account, "principalId": "AROAEXAMPLE:shift-1",
			"arn": "arn:aws:sts::" + account + ":assumed-role/scaler/shift-1",
		},
		"requestParameters": parameters, "responseElements": map[string]any{"requestId": fmt.Sprint(i)},
	})
}

func (g *generator) flushRecords() error {
	for _, rec := range g.batch {
		body, err := rationale.Marshal(rec)
		if err != nil {
			return err
		}
		if _, err := g.bodies.Write(append(body, '\n')); err != nil {
			return err
		}
	}
	err := g.journal.Write(context.Background(), g.batch...)
	g.batch = g.batch[:0]
	return err
}

func (g *generator) flushEvents() error {
	text, err := json.Marshal(map[string]any{"Records": g.events})
	if err != nil {
		return err
	}
	g.files++
	g.events = g.events[:0]
	return os.WriteFile(filepath.Join(g.dir, "logs", fmt.Sprintf("%06d.json", g.files)), text, 0o600)
}

// verify compares what an audit found with what there is.
func verify(dir string, r audit.Report, unexplained int) error {
	text, err := os.ReadFile(filepath.Join(dir, "want.json"))
	if err != nil {
		return err
	}
	var want expected
	if err := json.Unmarshal(text, &want); err != nil {
		return err
	}
	of := r.Coverage.Findings
	got := expected{of[audit.Explained], of[audit.ExplainedWeakly], of[audit.Unexplained]}
	if got != want || unexplained != want.Unexplained || !r.Whole() {
		return fmt.Errorf("found %+v and gave out %d, and there are %+v; problems: %v %v", got, unexplained, want, r.Problems, r.RecordGaps)
	}
	return nil
}
