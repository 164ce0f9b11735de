package audit

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// world is a made-up history, with what an audit of it must find: agents whose
// calls leave records and events, and acts behind the guard's back.
type world struct {
	r       *rand.Rand
	strong  bool // events carry keys of their decisions
	lossy   bool // a file of the log gets lost
	now     time.Time
	records []rationale.Record
	lost    map[string]bool // decisions whose records are lost
	files   map[string][]map[string]any
	n       int

	want      map[string]Kind   // by event
	wantOf    map[string][]Kind // of decisions without events: one of these
	decisions map[string]*told
	told      [4]int // read-only, failed, service, other
	repeated  int
}

// told is a decision as the world knows it.
type told struct {
	id       string
	at, end  time.Time
	resource string
	acts     int
}

const worldDocument = `
apiVersion: ambit/v1
kind: Audit
id: world
agents:
  - {id: scaler, principals: ["arn:aws:sts::111122223333:assumed-role/scaler/*"]}
  - {id: patcher, principals: ["arn:aws:iam::111122223333:user/patcher"]}
records: [evidence]
logs:
  - {name: trail, format: cloudtrail, paths: [logs], delay: 10m}
tools:
  - tool: asg.scale
    events:
      - action: autoscaling:SetDesiredCapacity
        match: [{event: requestParameters.autoScalingGroupName, argument: group}]
        compare:
          - {event: requestParameters.desiredCapacity, argument: capacity, rule: at_most}
          - {event: awsRegion, argument: region}
  - tool: ec2.launch
    events:
      - action: ec2:RunInstances
        match: [{event: requestParameters.subnetId, argument: subnet}]
      - action: ec2:CreateTags
        fan_out: 3
`

var worldStart = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func newWorld(seed uint64, strong bool) *world {
	return &world{
		r: rand.New(rand.NewPCG(seed, 7)), strong: strong, now: worldStart,
		lost: map[string]bool{}, files: map[string][]map[string]any{},
		want: map[string]Kind{}, wantOf: map[string][]Kind{}, decisions: map[string]*told{},
	}
}

func (w *world) chance(percent int) bool { return w.r.IntN(100) < percent }

func (w *world) uuid() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(w.r.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// decisionID is a UUIDv7 that the seed alone decides.
func (w *world) decisionID() string {
	id := []byte(w.uuid())
	copy(id, fmt.Sprintf("%08x-%04x-7", w.now.UnixMilli()>>16, w.now.UnixMilli()&0xffff))
	return string(id)
}

// event adds an event to the file that it is delivered in.
func (w *world) event(at time.Time, agent, action string, parameters map[string]any, change func(e map[string]any)) string {
	source, name := action[:len(action)-len(filepath.Ext(action))], action
	for i := range action {
		if action[i] == ':' {
			source, name = action[:i]+".amazonaws.com", action[i+1:]
		}
	}
	arn := "arn:aws:sts::111122223333:assumed-role/scaler/session"
	if agent == "patcher" {
		arn = "arn:aws:iam::111122223333:user/patcher"
	}
	e := map[string]any{
		"eventID": w.uuid(), "eventTime": at.Format(time.RFC3339Nano), "eventSource": source, "eventName": name, "eventType": "AwsApiCall",
		"readOnly": false, "awsRegion": "eu-west-1", "requestID": w.uuid(), "userAgent": "aws-sdk-go-v2/1.32 os/linux",
		"userIdentity":      map[string]any{"type": "AssumedRole", "arn": arn},
		"requestParameters": parameters,
	}
	if change != nil {
		change(e)
	}
	w.deliver(e, at)
	return e["eventID"].(string)
}

// deliver puts an event into the file of the minutes in which it arrives, and
// sometimes into a later one as well.
func (w *world) deliver(e map[string]any, at time.Time) {
	for {
		arrives := at.Add(time.Duration(w.r.IntN(540)) * time.Second)
		name := arrives.Truncate(15*time.Minute).Format("20060102T1504Z") + ".json"
		w.files[name] = append(w.files[name], e)
		if !w.chance(8) {
			return
		}
		w.repeated++
	}
}

// call makes a decision, and the events of its tool.
func (w *world) call() {
	w.now = w.now.Add(time.Duration(1+w.r.IntN(90_000)) * time.Millisecond)
	w.n++
	agent, tool := "scaler", "asg.scale"
	if w.chance(40) {
		agent, tool = "patcher", "ec2.launch"
	}
	resource := fmt.Sprintf("r-%d", w.n)
	if !w.strong {
		resource = fmt.Sprintf("r-%d", w.r.IntN(4)) // so that there are several candidates
	}
	d := &rationale.Decision{
		ID: w.decisionID(), At: w.now, Verdict: rationale.Allow, Standing: rationale.StandingActive, Class: "c", Effect: "write",
		Agent: rationale.Agent{ID: agent, Environment: "prod"}, Tool: rationale.Tool{Name: tool},
		Arguments: json.RawMessage(fmt.Sprintf(`{"group":%q,"subnet":%q,"capacity":10,"region":"eu-west-1"}`, resource, resource)),
	}
	t := &told{id: d.ID, at: w.now, end: w.now, resource: resource}
	w.decisions[d.ID] = t
	denied := w.chance(10)
	if denied {
		d.Verdict = rationale.Deny
	}
	w.records = append(w.records, d)
	if denied {
		if w.strong && w.chance(50) { // it acted all the same, and says so
			w.want[w.act(t, agent, tool, nil, func(e map[string]any) { e["userAgent"] = "agent/1 " + d.ID })] = Unauthorized
		}
		return
	}
	t.end = w.now.Add(time.Duration(w.r.IntN(20_000)) * time.Millisecond)
	o := &rationale.Outcome{ID: w.decisionID(), At: t.end, Decision: d.ID, Started: w.now, Status: rationale.StatusSuccess}
	kind := Explained
	if !w.strong {
		kind = ExplainedWeakly
	}
	switch w.r.IntN(10) {
	case 0:
		o.Status, kind = rationale.StatusUnknown, UnknownResolved
	case 1:
		o = nil // the host ended
		kind = UnknownResolved
	}
	if w.chance(8) { // the call never reached the cloud
		w.wantOf[d.ID] = []Kind{Orphan, LogGap, TooEarly}
		if kind == UnknownResolved {
			w.wantOf[d.ID] = []Kind{UnknownResolved, LogGap, TooEarly}
		}
	} else {
		w.acts(t, o, agent, tool, kind)
	}
	if o != nil {
		w.records = append(w.records, o)
	}
	if w.strong && w.chance(5) {
		w.lose(d.ID)
	}
}

// acts makes the events of a call, with a key of it, and what goes with them.
func (w *world) acts(t *told, o *rationale.Outcome, agent, tool string, kind Kind) {
	key := w.key(t, o)
	first := w.act(t, agent, tool, nil, key)
	w.want[first], t.acts = kind, t.acts+1
	if !w.strong {
		return
	}
	for range w.r.IntN(3) { // the client tried again: the same request, another event
		if w.chance(20) {
			w.want[w.act(t, agent, tool, nil, key)] = kind
		}
	}
	if tool == "ec2.launch" && w.chance(50) { // fan-out
		for i := range 1 + w.r.IntN(3) {
			tags := map[string]any{"resourcesSet": fmt.Sprintf("tagged-%d", i)}
			w.want[w.event(w.within(t), agent, "ec2:CreateTags", tags, key)] = kind
		}
	}
	plant := w.r.IntN(12)
	if w.lossy && plant < 2 {
		return // where the first act is lost, the second is the first
	}
	switch plant {
	case 0: // a second, different act under the same key
		w.want[w.late(t, agent, tool, map[string]any{"extra": "yes"}, key)] = Unauthorized
	case 1: // the same act behind the guard's back
		w.want[w.late(t, agent, tool, nil, nil)] = Unexplained
	case 2: // another act with the key of this one
		w.want[w.event(w.within(t), agent, "iam:CreateUser", map[string]any{"userName": "x"}, func(e map[string]any) { e["userAgent"] = t.id })] = Unauthorized
	}
}

// key returns what puts a key of the decision into an event.
func (w *world) key(t *told, o *rationale.Outcome) func(e map[string]any) {
	if !w.strong {
		return nil
	}
	ways := 5
	if o == nil {
		ways = 3
	}
	switch w.r.IntN(ways) {
	case 0:
		return func(e map[string]any) { e["userAgent"] = "agent/1.0 decision/" + t.id }
	case 1:
		return func(e map[string]any) {
			parameters := map[string]any{"clientToken": t.id}
			for k, v := range e["requestParameters"].(map[string]any) {
				parameters[k] = v
			}
			e["requestParameters"] = parameters
		}
	case 2:
		return func(e map[string]any) {
			e["userIdentity"].(map[string]any)["sessionContext"] = map[string]any{"sourceIdentity": t.id}
		}
	case 3:
		request := w.uuid()
		o.Effect = request
		return func(e map[string]any) { e["requestID"] = request }
	default:
		instance := fmt.Sprintf("i-%d", w.n)
		o.Effect = instance
		return func(e map[string]any) {
			e["responseElements"] = map[string]any{"instancesSet": map[string]any{"items": []any{map[string]any{"instanceId": instance}}}}
		}
	}
}

// within is a time at which an event of a call can be, as the cloud's clock has it.
func (w *world) within(t *told) time.Time {
	at := t.at.Add(time.Duration(w.r.Int64N(int64(t.end.Sub(t.at)) + 1)))
	if !w.strong { // what the cloud does by itself, it does when it comes to it
		at = t.end.Add(time.Duration(w.r.IntN(int(defaultWindow/time.Second))) * time.Second)
	}
	return at.Add(time.Duration(w.r.IntN(40)-20) * time.Second)
}

func (w *world) act(t *told, agent, tool string, more map[string]any, key func(e map[string]any)) string {
	return w.actAt(w.within(t), t, agent, tool, more, key)
}

// late is act after all others of the call.
func (w *world) late(t *told, agent, tool string, more map[string]any, key func(e map[string]any)) string {
	return w.actAt(t.end.Add(21*time.Second), t, agent, tool, more, key)
}

func (w *world) actAt(at time.Time, t *told, agent, tool string, more map[string]any, key func(e map[string]any)) string {
	action, parameters := "autoscaling:SetDesiredCapacity", map[string]any{"autoScalingGroupName": t.resource, "desiredCapacity": 10}
	if tool == "ec2.launch" {
		action, parameters = "ec2:RunInstances", map[string]any{"subnetId": t.resource}
	}
	for k, v := range more {
		parameters[k] = v
	}
	return w.event(at, agent, action, parameters, key)
}

// lose takes the records of a decision away: what it did is unexplained.
func (w *world) lose(id string) {
	w.lost[id] = true
	delete(w.wantOf, id)
	for _, events := range w.files {
		for _, e := range events {
			text, _ := json.Marshal(e)
			if w.names(string(text), id) {
				w.want[e["eventID"].(string)] = Unexplained
			}
		}
	}
}

func (w *world) names(text, id string) bool {
	effect := ""
	for _, rec := range w.records {
		if o, ok := rec.(*rationale.Outcome); ok && o.Decision == id {
			effect = o.Effect
		}
	}
	contains := func(part string) bool { return part != "" && len(text) > 0 && slices.Contains(quotedIn(text), part) }
	found := contains(effect)
	for _, part := range quotedIn(text) {
		uuids(part, func(u string) { found = found || u == id })
	}
	return found
}

// quotedIn returns the strings of a JSON text.
func quotedIn(text string) []string {
	var parts []string
	start := -1
	for i := range text {
		if text[i] != '"' {
			continue
		}
		if start < 0 {
			start = i + 1
		} else {
			parts, start = append(parts, text[start:i]), -1
		}
	}
	return parts
}

// noise is what the logs have beside.
func (w *world) noise() {
	at := w.now.Add(time.Duration(w.r.IntN(60)) * time.Second)
	switch w.r.IntN(6) {
	case 0:
		w.told[0]++
		w.event(at, "scaler", "ec2:DescribeInstances", nil, func(e map[string]any) { e["readOnly"] = true })
	case 1:
		w.told[1]++
		w.event(at, "patcher", "ec2:RunInstances", nil, func(e map[string]any) { e["errorCode"] = "Client.UnauthorizedOperation" })
	case 2:
		w.told[2]++
		w.event(at, "scaler", "ec2:RunInstances", nil, func(e map[string]any) {
			e["userIdentity"].(map[string]any)["invokedBy"] = "autoscaling.amazonaws.com"
		})
	case 3:
		w.told[3]++
		w.event(at, "scaler", "iam:CreateUser", nil, func(e map[string]any) {
			e["userIdentity"] = map[string]any{"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/somebody"}
		})
	default: // behind the guard's back
		w.want[w.event(at, "scaler", "iam:CreateAccessKey", map[string]any{"userName": w.uuid()}, nil)] = Unexplained
	}
}

func makeWorld(seed uint64, strong, lossy bool) *world {
	w := newWorld(seed, strong)
	w.lossy = lossy
	for range 4 + w.r.IntN(20) {
		w.call()
		if w.chance(40) {
			w.noise()
		}
	}
	if lossy {
		w.loseFile()
	}
	return w
}

// loseFile takes a delivered file away, and with it what was to be found in it.
func (w *world) loseFile() {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range w.files {
			if !yield(name) {
				return
			}
		}
	})
	if len(names) < 3 {
		return
	}
	delete(w.files, names[1+w.r.IntN(len(names)-2)])
}

// there returns the events that are in any file.
func (w *world) there() map[string]bool {
	there := map[string]bool{}
	for _, events := range w.files {
		for _, e := range events {
			there[e["eventID"].(string)] = true
		}
	}
	return there
}

// document writes the logs, and returns the document that names them.
func (w *world) document(t testing.TB, dir string) *Document {
	logs := filepath.Join(dir, "logs")
	require.NoError(t, os.RemoveAll(logs))
	require.NoError(t, os.MkdirAll(logs, 0o700))
	for name, events := range w.files {
		text, err := json.Marshal(map[string]any{"Records": events})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(logs, name), text, 0o600))
	}
	doc, err := Load(filepath.Join(dir, "audit.yaml"), []byte(worldDocument))
	require.NoError(t, err)
	return doc
}

// source is the records as journals yield them.
func (w *world) source(t testing.TB) func(...string) iter.Seq2[journal.Entry, error] {
	return func(...string) iter.Seq2[journal.Entry, error] {
		return func(yield func(journal.Entry, error) bool) {
			gap := false
			for i, rec := range w.records {
				id := rec.RecordID()
				if o, ok := rec.(*rationale.Outcome); ok {
					id = o.Decision
				}
				if w.lost[id] {
					gap = true
					continue
				}
				if gap && !yield(journal.Entry{}, &journal.ReadError{File: "00000001.seg", Offset: 64, Err: journal.ErrMissing}) {
					return
				}
				gap = false
				body, err := rationale.Marshal(rec)
				require.NoError(t, err)
				if !yield(journal.Entry{File: "00000001.seg", Envelope: rationale.Envelope{Journal: "j", Seq: uint64(i + 1), Body: body}}, nil) {
					return
				}
			}
		}
	}
}
