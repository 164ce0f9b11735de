// Package trail writes what the simulated fleet did as the cloud's own event log,
// in the shape of AWS CloudTrail: gzipped files of some minutes each. What the agent's
// tools do carries the id of the decision as docs/credentials.md recommends.
package trail

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/guard/joinkey"
)

// Period is how much time is in one file.
const Period = 5 * time.Minute

const account = "111122223333"

// requests are the names that the cloud has for what the fleet calls its actions,
// and for their arguments. Another action is no request.
var requests = map[string]struct {
	name       string
	parameters []string
}{
	"scale":  {"ScaleDeployment", []string{"workload", "region", "replicas"}},
	"resize": {"ResizePool", []string{"pool", "region", "instanceType", "nodes"}},
	"open":   {"OpenRegion", []string{"region", "instanceType", "nodes", "percent"}},
	"route":  {"UpdateTrafficShare", []string{"region", "percent"}},
}

type event struct {
	Version    string         `json:"eventVersion"`
	Identity   identity       `json:"userIdentity"`
	Time       string         `json:"eventTime"`
	Source     string         `json:"eventSource"`
	Name       string         `json:"eventName"`
	Region     any            `json:"awsRegion"`
	UserAgent  string         `json:"userAgent"`
	Parameters map[string]any `json:"requestParameters"`
	Response   any            `json:"responseElements"`
	RequestID  string         `json:"requestID"`
	ID         string         `json:"eventID"`
	ReadOnly   bool           `json:"readOnly"`
	Type       string         `json:"eventType"`
	Management bool           `json:"managementEvent"`
	Account    string         `json:"recipientAccountId"`
}

type identity struct {
	Type      string  `json:"type"`
	Principal string  `json:"principalId"`
	ARN       string  `json:"arn"`
	Account   string  `json:"accountId"`
	Session   session `json:"sessionContext"`
}

type session struct {
	Issuer         map[string]string `json:"sessionIssuer"`
	SourceIdentity string            `json:"sourceIdentity,omitempty"`
}

// Write writes the log of a fleet to a folder, which it makes. It returns the paths
// of its files, in the order of time.
func Write(dir string, log []fleet.Action) (files []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var until time.Time // of the file
	events := map[string][]event{}
	for n, a := range log {
		if _, ok := requests[a.Name]; !ok {
			continue
		}
		if !a.At.Before(until) {
			until = a.At.Truncate(Period).Add(Period)
			files = append(files, filepath.Join(dir, account+"_CloudTrail_eu-west-1_"+until.Format("20060102T1504Z")+".json.gz"))
		}
		last := files[len(files)-1]
		events[last] = append(events[last], eventOf(n, a))
	}
	for _, path := range files {
		if err := writeFile(path, events[path]); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func writeFile(path string, events []event) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(file)
	err = json.NewEncoder(packed).Encode(map[string][]event{"Records": events})
	return errors.Join(err, packed.Close(), file.Close())
}

// eventOf is the n-th action as the cloud tells of it. Whoever acts on no decision
// has a session of another name.
func eventOf(n int, a fleet.Action) event {
	request := requests[a.Name]
	parameters := map[string]any{}
	for i, value := range strings.Fields(a.Args) {
		parameters[request.parameters[i]] = value
		if number, err := strconv.Atoi(value); err == nil {
			parameters[request.parameters[i]] = number
		}
	}
	name, agent := "console", "aws-cli/2.31.0"
	if a.Decision != "" {
		name, agent = joinkey.SessionName(a.Decision), "autoscaler/1.4 "+joinkey.UserAgent(a.Decision)
		parameters["clientToken"] = joinkey.ClientToken(a.Decision, request.name)
	}
	return event{
		Version: "1.11", Time: a.At.Format(time.RFC3339), Source: "fleet.cloud.example", Name: request.name,
		Identity: identity{
			Type: "AssumedRole", Principal: "AROAEXAMPLE:" + name, Account: account,
			ARN: "arn:aws:sts::" + account + ":assumed-role/autoscaler/" + name,
			Session: session{
				Issuer:         map[string]string{"type": "Role", "arn": "arn:aws:iam::" + account + ":role/autoscaler", "userName": "autoscaler"},
				SourceIdentity: joinkey.SessionName(a.Decision),
			},
		},
		Region: parameters["region"], UserAgent: agent, Parameters: parameters,
		RequestID: idOf("request", n, a), ID: idOf("event", n, a), Type: "AwsApiCall", Management: true, Account: account,
	}
}

// idOf makes an id of what happened, so that two runs have the same ones.
func idOf(of string, n int, a fleet.Action) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %s %s", of, n, a.At, a.Name, a.Args))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
