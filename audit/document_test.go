package audit

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
)

const small = `apiVersion: ambit/v1
kind: Audit
id: a
agents: [{id: bot, principals: ["arn:aws:iam::1:user/bot"]}]
records: [evidence]
logs: [{name: l, format: cloudtrail, paths: [logs]}]
`

func TestLoadRefuses(t *testing.T) {
	replace := func(old, by string) string {
		require.Contains(t, small, old)
		return strings.Replace(small, old, by, 1)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":               {"", "1:1 the file holds no document"},
		"another kind":          {replace("kind: Audit", "kind: Audits"), `2:7 kind is "Audits", which is unknown; did you mean "Audit"?`},
		"unknown key":           {small + "recods: [x]\n", `7:1 unknown key "recods" in the document; did you mean "records"?`},
		"key twice":             {small + "id: b\n", `7:1 duplicate key "id"; it stands in line 3 already`},
		"no agents":             {replace("agents: [{id: bot, principals: [\"arn:aws:iam::1:user/bot\"]}]\n", ""), `1:1 the document has no "agents"; agents: [{id: …, principals: [...]}]`},
		"everybody":             {replace("arn:aws:iam::1:user/bot", "*"), `4:32 agents[0].principals is everybody; name the agent's own principals`},
		"unknown format":        {replace("cloudtrail", "cloud-trail"), `6:26 logs[0].format is "cloud-trail", which is unknown; did you mean "cloudtrail"?`},
		"mapping too many":      {replace("paths: [logs]", "paths: [logs], mapping: {fields: {}}"), `6:62 logs[0].mapping: only the format lines has a mapping; leave it out`},
		"no mapping":            {replace("cloudtrail", "lines"), `6:8 logs[0] has no "mapping"; mapping: says what id, time, principal and action of a line are`},
		"bad key":               {replace("paths: [logs]", "paths: [logs], keys: [a..b]"), `6:60 logs[0].keys[0]: "a..b" is no path: want a.b, a[].b or a["b.c"]`},
		"bad delay":             {replace("paths: [logs]", "paths: [logs], delay: soon"), `6:60 logs[0].delay is "soon", not a length of time; want such as 30s, 15m, 24h or 7d`},
		"until before since":    {small + "since: 2026-01-02T00:00:00Z\nuntil: 2026-01-01T00:00:00Z\n", "8:8 until is not after since"},
		"no action":             {small + "tools: [{tool: t, events: [{fan_out: 2}]}]\n", `7:28 tools[0].events[0] has no "action"; action: such as ec2:RunInstances or patch:apps/deployments; '*' stands for any text`},
		"fan-out of none":       {small + "tools: [{tool: t, events: [{action: a, fan_out: 0}]}]\n", `7:49 tools[0].events[0].fan_out is 0: less than 1`},
		"fan-out of millions":   {small + "tools: [{tool: t, events: [{action: a, fan_out: 2000000}]}]\n", `7:49 tools[0].events[0].fan_out is 2000000: more than 1048576`},
		"fan-out in quotes":     {small + "tools: [{tool: t, events: [{action: a, fan_out: \"2\"}]}]\n", `7:49 tools[0].events[0].fan_out is "2", not a whole number; write it in digits, without quotes`},
		"unknown rule":          {small + "tools: [{tool: t, events: [{action: a, compare: [{event: x, argument: y, rule: at_mots}]}]}]\n", `7:80 tools[0].events[0].compare[0].rule is "at_mots", which is unknown; did you mean "at_most"?`},
		"a rule to match":       {small + "tools: [{tool: t, events: [{action: a, match: [{event: x, argument: y, rule: at_most}]}]}]\n", `7:72 unknown key "rule" in tools[0].events[0].match[0]; known here: event, argument`},
		"a silence of nothing":  {replace("paths: [logs]", "paths: [logs], silence: 7ns"), `6:62 logs[0].silence is 7ns: less than 1m0s`},
		"more than a lifetime":  {small + "late: 900000h\n", `7:7 late is "900000h", not a length of time; want such as 30s, 15m, 24h or 7d`},
		"events behind others":  {small + "tools: [{tool: t, events: [{action: \"a:*\"}, {action: \"a:b*\", fan_out: 2}]}]\n", `7:45 tools[0].events[1] is never looked at: events[0] stands before it, and has all of its actions; put it before the other, or leave it out`},
		"a tool behind another": {small + "tools: [{tool: t, classes: [\"x*\"], events: [{action: a}]}, {tool: t, classes: [xy], events: [{action: b}]}]\n", `7:60 tools[1] is never looked at: tools[0] stands before it, and has all of its classes; put it before the other, or leave it out`},
		"same name of logs":     {replace("paths: [logs]}", "paths: [logs]}, {name: l, format: kubernetes, paths: [x]}"), `6:54 two logs have the name "l"; give each log a name of its own`},
		"expression":            {mapped("event.at + 1"), "6:71 logs[0].mapping.time: + does not take string and int"},
		"unknown field":         {mapped("event.when"), `6:68 logs[0].mapping.time: event has no "when"; it has id, at`},
		"expression of a bool":  {mapped("event.at == 'x'"), "6:62 logs[0].mapping.time: the expression must yield string, and yields bool"},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := Load("audit.yaml", []byte(tt.text))
			require.Error(t, err)
			assert.Nil(t, doc)
			var all authority.Errors
			require.ErrorAs(t, err, &all)
			got := fmt.Sprintf("%d:%d %s", all[0].Line, all[0].Column, all[0].Message)
			if all[0].Hint != "" {
				got += "; " + all[0].Hint
			}
			assert.True(t, strings.HasPrefix(got, tt.want), got)
		})
	}
}

// mapped is a document of JSON lines with an expression for the time.
func mapped(time string) string {
	return strings.Replace(small, "format: cloudtrail, paths: [logs]", fmt.Sprintf("format: lines, paths: [p], mapping: {time: %q, id: 'event.id', principal: 'event.id', action: 'event.id', fields: {id: {path: a, type: string}, at: {path: t, type: string}}}", time), 1)
}

// The documents of the manual load.
func TestManual(t *testing.T) {
	text, err := os.ReadFile("../docs/audit.md")
	require.NoError(t, err)
	loaded := 0
	for i, block := range strings.Split(string(text), "```") {
		yaml, ok := strings.CutPrefix(block, "yaml\n")
		if i%2 == 0 || !ok {
			continue
		}
		if strings.HasPrefix(yaml, "  - name") { // one of several logs
			yaml = strings.Replace(small, "logs: [{name: l, format: cloudtrail, paths: [logs]}]\n", "logs:\n"+yaml, 1)
		}
		_, err := Load("docs/audit.yaml", []byte(yaml))
		assert.NoError(t, err)
		loaded++
	}
	assert.Equal(t, 3, loaded)
}

func TestLoadDefaults(t *testing.T) {
	doc, err := Load("/x/audit.yaml", []byte(small+"tools: [{tool: t, events: [{action: a}]}]\n"))
	require.NoError(t, err)
	assert.Equal(t, times{5 * time.Minute, 30 * time.Second, 24 * time.Hour}, doc.times)
	assert.Equal(t, []string{"/x/evidence"}, doc.records)
	assert.Equal(t, []string{"/x/logs"}, doc.logs[0].paths)
	assert.Equal(t, 15*time.Minute, doc.logs[0].delay)
	assert.Contains(t, doc.logs[0].keys, "requestParameters.clientToken")
	assert.Equal(t, toolEvent{action: "a", fanOut: 1, attempts: 3}, doc.tools[0].events[0])
}

func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"a", "ba", false},
		{"a*", "abc", true},
		{"*c", "abc", true},
		{"a*c", "abc", true},
		{"a*c", "ac", true},
		{"a*bc*bc", "abc", false},
		{"a*a", "a", false},
		{"*a*b*", "xxaxxbxx", true},
		{"*a*b*", "xxbxxaxx", false},
		{"a*", "A", false},
		{"", "", true},
		{"", "a", false},
	} {
		assert.Equal(t, tt.want, pattern(tt.pattern).matches(tt.text), "%q %q", tt.pattern, tt.text)
	}
}

// An entry that leaves something to those behind it.
func TestEntriesOfOneTool(t *testing.T) {
	for _, entries := range []string{
		`[{tool: t, classes: ["x*"], events: [{action: a}]}, {tool: t, events: [{action: b}]}]`,
		`[{tool: t, classes: [x], events: [{action: a}]}, {tool: t, classes: [x, y], events: [{action: b}]}]`,
		`[{tool: t, events: [{action: "a:b*"}, {action: "a:*"}]}, {tool: u, events: [{action: "a:b*"}]}]`,
	} {
		_, err := Load("audit.yaml", []byte(small+"tools: "+entries+"\n"))
		assert.NoError(t, err, entries)
	}
}

// One key covers one act. What is said to be the same request is a retry, what is not is
// another act.
func TestRequestsOfMappedLines(t *testing.T) {
	const line = `{"id":%q,"at":"2026-11-02T09:00:0%dZ","who":"arn:bot","key":%q,"to":%q,"request":%q}` + "\n"
	id := idOf(1)
	data := fmt.Sprintf(line, "1", 1, id, "a", "r1") + fmt.Sprintf(line, "2", 2, id, "a", "r1") + fmt.Sprintf(line, "3", 3, id, "b", "r2") + fmt.Sprintf(line, "", 4, id, "b", "r2")
	for mapping, want := range map[string]string{
		"":                         "explained 1 1 key; unauthorized 2 1 key; unauthorized 3 1 key",
		", request: event.request": "explained 1 1 key; explained 2 1 key; unauthorized 3 1 key",
	} {
		s := newScene(t).call(1, nil)
		write(t, []byte(data), s.dir, "logs", "log.jsonl")
		doc, err := Load(s.dir+"/audit.yaml", fmt.Appendf(nil, `
apiVersion: ambit/v1
kind: Audit
id: lines
agents: [{id: bot, principals: ["arn:bot"]}]
records: [evidence]
logs:
  - name: log
    format: lines
    paths: [logs]
    keys: [key]
    mapping:
      fields: {id: {path: id, type: string}, at: {path: at, type: string}, who: {path: who, type: string}, request: {path: request, type: string}}
      id: event.id
      time: event.at
      principal: event.who
      action: "'pay'"
      %s
tools: [{tool: scale, events: [{action: pay}]}]
`, strings.TrimPrefix(mapping, ", ")))
		require.NoError(t, err)
		report, list := s.run(doc)
		assert.Equal(t, want, found(list))
		require.Len(t, report.Problems, 1)
		assert.Contains(t, report.Problems[0].Problem, "it has no id or no action")
	}
}

// A log that only its owner knows.
func TestMappedLines(t *testing.T) {
	dir := t.TempDir()
	data := `{"meta":{"uid":7},"ts":"2026-11-02T09:00:00Z","actor":"svc/bot","verb":"POST","path":"/v1/payments","status":201,"client":"decision 1"}
{"meta":{"uid":8},"ts":"2026-11-02T09:00:01Z","actor":"svc/bot","verb":"GET","path":"/v1/payments","status":200}
{"meta":{"uid":9},"ts":"2026-11-02T09:00:02Z","actor":"svc/bot","verb":"POST","path":"/v1/payments","status":409}
{"meta":{"uid":10},"ts":"2026-11-02T09:00:03Z","actor":"svc/ops","verb":"POST","path":"/v1/payments","status":200}
{"meta":{"uid":11},"ts":"2026-11-02T09:00:04Z","actor":"svc/bot","verb":"POST","path":"/v1/payments","status":"odd"}
{"meta":{},"ts":"2026-11-02T09:00:04Z","actor":"svc/bot","verb":"POST","path":"/v1/payments","status":200}
{"meta":{"uid":12},"ts":"2026-11-02T09:00:05Z","actor":"svc/bot","verb":"DELETE","path":"/v1/payments/3","status":204,"cron":true}
`
	write(t, []byte(data), dir, "api.jsonl")
	doc, err := Load(dir+"/audit.yaml", []byte(`
apiVersion: ambit/v1
kind: Audit
id: api
agents: [{id: bot, principals: [svc/bot]}]
records: [`+t.TempDir()+`]
logs:
  - name: api
    format: lines
    paths: [api.jsonl]
    mapping:
      fields:
        uid: {path: meta.uid, type: int}
        ts: {path: ts, type: string}
        actor: {path: actor, type: string}
        verb: {path: verb, type: string}
        path: {path: path, type: string}
        status: {path: status, type: int}
        cron: {path: cron, type: bool}
      id: string(event.uid)
      time: event.ts
      principal: event.actor
      action: event.verb.lowerAscii() + ":" + event.path
      resource: event.path
      success: event.status < 400
      mutating: event.verb != 'GET'
      service: has(event.cron) && event.cron
`))
	require.NoError(t, err)
	r := runs(t, doc)
	assert.Equal(t, []string{
		fmt.Sprintf("api.jsonl %d whether it succeeded cannot be told: event.status is absent", strings.Index(data, `{"meta":{"uid":11}`)),
		fmt.Sprintf("api.jsonl %d its id cannot be told: event.uid is absent", strings.Index(data, `{"meta":{},`)),
	}, r.problems())
	require.Len(t, r.findings, 1)
	assert.Equal(t, "7 post:/v1/payments /v1/payments", r.findings[0].Event+" "+r.findings[0].Action+" "+r.findings[0].Resource)
	c := r.Coverage
	assert.Equal(t, [4]int{1, 1, 1, 1}, [4]int{c.ReadOnly, c.Failed, c.Other, c.Service})
}
