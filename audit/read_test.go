package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/shareddata"
)

// minimal is a document with one log of a format.
func minimal(t testing.TB, format, principal, path string) *Document {
	t.Helper()
	mapping := ""
	if format == "lines" {
		mapping = `, mapping: {fields: {id: {path: id, type: string}, at: {path: at, type: string}, who: {path: who, type: string}, what: {path: what, type: string}},
    id: event.id, time: event.at, principal: event.who, action: event.what}`
	}
	doc, err := Load(filepath.Join(t.TempDir(), "audit.yaml"), fmt.Appendf(nil, `
apiVersion: ambit/v1
kind: Audit
id: test
agents: [{id: agent, principals: [%q]}]
records: [%q]
logs: [{name: log, format: %s, paths: [%q]%s}]
`, principal, t.TempDir(), format, path, mapping))
	require.NoError(t, err)
	return doc
}

// result is what a run gave.
type result struct {
	Report
	findings []Finding
}

func runs(t testing.TB, doc *Document) result {
	t.Helper()
	var r result
	var err error
	r.Report, err = Run(context.Background(), Config{Document: doc, TempDir: t.TempDir(), Findings: func(f Finding) error {
		r.findings = append(r.findings, f)
		return nil
	}})
	require.NoError(t, err)
	return r
}

func (r *result) problems() []string {
	var list []string
	for _, p := range r.Problems {
		list = append(list, fmt.Sprintf("%s %d %s", filepath.Base(p.File), p.Offset, p.Problem))
	}
	return list
}

func write(t testing.TB, data []byte, name ...string) string {
	t.Helper()
	path := filepath.Join(name...)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// Every event of the real logs is read, and told apart by kind; the mutating
// ones of one principal are unexplained, and those of no other.
func TestRealCloudTrail(t *testing.T) {
	dir := shareddata.Dir(t, "cloudtrail")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 35)
	r := runs(t, minimal(t, "cloudtrail", "arn:aws:iam::*:user/christophe", dir))
	assert.Empty(t, r.Problems)
	c := r.Coverage
	assert.Equal(t, [7]int{310, 0, 71, 201, 1, 0, 37}, [7]int{c.Events, c.Duplicates, c.Other, c.ReadOnly, c.Failed, c.Service, c.Mutating})
	assert.Equal(t, c.Mutating, c.Findings[Unexplained])

	alone := runs(t, minimal(t, "cloudtrail", "arn:aws:iam::229654561268:user/christophe", dir))
	var found []string
	for _, f := range alone.findings {
		assert.Equal(t, Unexplained, f.Kind)
		found = append(found, f.Action+" "+f.Event)
	}
	assert.ElementsMatch(t, []string{
		"iam:AttachUserPolicy 083dc4ad-e264-46bc-a407-d0dd31b58bdc",
		"iam:CreateAccessKey 94faedcc-0fa4-46e6-9322-022e8e934f04",
		"iam:CreateUser 3346344c-5a3e-429e-8405-420f98f75d6e",
	}, found)
	assert.Equal(t, 307, alone.Coverage.Other)
}

// realLines returns the records of a real log.
func realLines(t *testing.T, name string) []string {
	data, err := os.ReadFile(filepath.Join(shareddata.Dir(t, "cloudtrail"), name))
	require.NoError(t, err)
	s := newSplitter(bytes.NewReader(data), false)
	var lines []string
	for {
		line, _, err := s.next()
		if err == io.EOF {
			return lines
		}
		require.NoError(t, err)
		lines = append(lines, string(line))
	}
}

// The real logs have events without request parameters, and one without a
// request id. None of theirs are shared or begun by a service, so these are made
// of real lines.
func TestOddEventsOfCloudTrail(t *testing.T) {
	bedrock := realLines(t, "aws.impact.bedrock-invoke-model.json")
	var null string
	for _, line := range bedrock {
		if strings.Contains(line, `"PutUseCaseForModelAccess"`) {
			null = line
		}
	}
	require.Contains(t, null, `"requestParameters": null`)
	login := realLines(t, "aws.initial-access.console-login-without-mfa.json")[0]
	require.NotContains(t, login, `"requestID"`)
	user := realLines(t, "aws.persistence.iam-create-admin-user.json")
	require.Len(t, user, 3)
	requestID := `"710f2703-6e8a-46d5-9924-b12a3a681755"` // of user[0]
	replace := func(line, old, by string) string {
		require.Contains(t, line, old)
		return strings.ReplaceAll(line, old, by)
	}
	for name, tt := range map[string]struct {
		lines     []string
		principal string
		want      string
	}{
		"no request parameters": {[]string{null}, "arn:*:assumed-role/test-role/cli", "1 acts, 0 services, 0 failed, 0 others, 0 repeated"},
		"no request id":         {[]string{login}, "arn:*", "1 acts, 0 services, 0 failed, 0 others, 0 repeated"},
		"one request id of two events": {
			[]string{user[0], replace(user[1], `"0ee5fc85-66bb-4602-a69e-9a5a2a3add30"`, requestID)},
			"arn:*christophe",
			"2 acts, 0 services, 0 failed, 0 others, 0 repeated",
		},
		"delivered twice": {[]string{user[0], user[1], user[0]}, "arn:*christophe", "2 acts, 0 services, 0 failed, 0 others, 1 repeated"},
		"delivered to two accounts": {
			[]string{
				replace(user[0], `"eventID":`, `"sharedEventID": "s-1", "eventID":`),
				replace(replace(user[0], `"eventID":`, `"sharedEventID": "s-1", "eventID":`), "083dc4ad", "183dc4ad"),
			}, "arn:*christophe", "1 acts, 0 services, 0 failed, 0 others, 1 repeated",
		},
		"one event id, two acts": {
			[]string{user[0], replace(user[1], "94faedcc-0fa4-46e6-9322-022e8e934f04", "083dc4ad-e264-46bc-a407-d0dd31b58bdc")},
			"arn:*christophe",
			"2 acts, 0 services, 0 failed, 0 others, 0 repeated",
		},
		"begun by a service": {
			[]string{replace(user[0], `"type": "IAMUser"`, `"type": "IAMUser", "invokedBy": "cloudformation.amazonaws.com"`), replace(user[1], "AwsApiCall", "AwsServiceEvent")},
			"arn:*christophe", "0 acts, 2 services, 0 failed, 0 others, 0 repeated",
		},
		"by a person at the console": {
			[]string{replace(user[0], `"type": "IAMUser"`, `"type": "IAMUser", "invokedBy": "signin.amazonaws.com"`)},
			"arn:*christophe", "1 acts, 0 services, 0 failed, 0 others, 0 repeated",
		},
		"an empty error": {
			[]string{replace(user[0], `"eventType":`, `"errorCode": "", "errorMessage": "", "eventType":`)},
			"arn:*christophe", "1 acts, 0 services, 0 failed, 0 others, 0 repeated",
		},
		"failed":                             {[]string{replace(user[0], `"eventType":`, `"errorCode": "AccessDenied", "eventType":`)}, "arn:*christophe", "0 acts, 0 services, 1 failed, 0 others, 0 repeated"},
		"does not say whether it only reads": {[]string{replace(user[0], `"readOnly": false,`, ``)}, "arn:*christophe", "1 acts, 0 services, 0 failed, 0 others, 0 repeated"},
		"the role behind a session":          {[]string{null}, "arn:aws:iam::*:role/test-role", "1 acts, 0 services, 0 failed, 0 others, 0 repeated"},
		"somebody else":                      {[]string{user[0]}, "arn:*christoph", "0 acts, 0 services, 0 failed, 1 others, 0 repeated"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, []byte(`{"Records":[`+strings.Join(tt.lines, ",")+`]}`), dir, "log.json")
			r := runs(t, minimal(t, "cloudtrail", tt.principal, dir))
			assert.Empty(t, r.Problems)
			c := r.Coverage
			assert.Equal(t, tt.want, fmt.Sprintf("%d acts, %d services, %d failed, %d others, %d repeated", c.Mutating, c.Service, c.Failed, c.Other, c.Duplicates))
		})
	}
}

// However events are packed, the same are found.
func TestShapesOfLogs(t *testing.T) {
	const one = `{"eventID":"%d","eventTime":"2026-11-02T09:00:0%dZ","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","readOnly":false,"userIdentity":{"arn":"me"}}`
	var events []string
	for i := range 3 {
		events = append(events, fmt.Sprintf(one, i, i))
	}
	all := strings.Join(events, ",")
	for name, data := range map[string][]byte{
		"wrapper":             []byte(`{"Records":[` + all + `]}`),
		"wrapper with spaces": []byte(" \n{ \"Records\" :\n[\n" + strings.Join(events, "\n,\n") + "\n]\n}\n"),
		"array":               []byte("[" + all + "]"),
		"lines":               []byte(strings.Join(events, "\n") + "\n"),
		"lines, no last end":  []byte(strings.Join(events, "\r\n\r\n")),
		"mark":                []byte("\ufeff[" + all + "]"),
		"two files in one":    []byte(`{"Records":[` + events[0] + `]}` + "\n" + `{"Records":[` + events[1] + "," + events[2] + `]}`),
		"packed":              gzipped(t, []byte(`{"Records":[`+all+`]}`)),
		"packed twice over":   append(gzipped(t, []byte("["+events[0]+",")), gzipped(t, []byte(events[1]+","+events[2]+"]"))...),
		"brackets in texts":   []byte("[" + strings.ReplaceAll(all, `"me"`, `"me","x":"}]\\\"{["`) + "]"),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, data, dir, "deep", "log")
			write(t, []byte("not a log"), dir, ".hidden")
			write(t, []byte(`{}`), dir, "CloudTrail-Digest", "d.json")
			r := runs(t, minimal(t, "cloudtrail", "me", dir))
			assert.Empty(t, r.problems())
			assert.Len(t, r.findings, 3)
		})
	}
}

// What is damaged or made to hurt is named with file and byte, and the rest is
// still audited.
func TestHostileLogs(t *testing.T) {
	event := func(id string, more string) string {
		return fmt.Sprintf(`{"eventID":%q,"eventTime":"2026-11-02T09:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","userIdentity":{"arn":"me"}%s}`, id, more)
	}
	good := event("1", "")
	long := strings.Repeat("x", maxRecord+1)
	for name, tt := range map[string]struct {
		data  []byte
		want  string // the problem
		found int
	}{
		"cut":               {[]byte(`{"Records":[` + good + `,{"eventID":"2"`), fmt.Sprintf("log %d the last record has no end: the file was cut off, or is being written", 13+len(good)), 1},
		"cut between":       {[]byte(`[` + good + `,`), fmt.Sprintf("log %d the array that the records stand in has no end: the file was cut off, or is being written", 2+len(good)), 1},
		"cut wrapper":       {[]byte(`{"Records":[` + good + `]`), fmt.Sprintf("log %d the object that the records stand in has no end: the file was cut off, or is being written", 13+len(good)), 1},
		"packed and cut":    {gzipped(t, []byte("["+good+","+event("2", "")+"]"))[:120], "unpacking: unexpected EOF", 0},
		"not packed":        {[]byte("\x1f\x8b nonsense of some length"), "log 0 not gzip, though it begins so: gzip: invalid header", 0},
		"long line":         {[]byte(good + "\n{\"x\":\"" + long + "\"}\n" + event("2", "")), fmt.Sprintf("log %d a record of %d bytes: more than the 8388608 that are read", len(good)+1, len(long)+8), 2},
		"long element":      {[]byte("[" + good + ",{\"x\":\"" + long + "\"}," + event("2", "") + "]"), fmt.Sprintf("log %d a record of %d bytes: more than the 8388608 that are read", len(good)+2, len(long)+8), 2},
		"deep":              {[]byte("[" + event("2", `,"x":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)) + "," + good + "]"), "log 1 a record that is nested 201 deep: more than the 100 that are read", 1},
		"deep line":         {[]byte(event("2", `,"x":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)) + "\n" + good), "log 0 a record that is nested 201 deep: more than the 100 that are read", 1},
		"not UTF-8":         {[]byte("[" + event("2", `,"x":"`+"\xff"+`"`) + "," + good + "]"), "log 1 not JSON that every reader understands alike: invalid UTF-8 within /x", 1},
		"one name twice":    {[]byte("[" + event("2", `,"readOnly":true,"readOnly":false`) + "," + good + "]"), `log 1 not JSON that every reader understands alike: duplicate object member name within /readOnly`, 1},
		"not JSON":          {[]byte("[" + strings.Replace(good, ":", "", 1) + "," + event("2", "") + "]"), "log 1 not JSON that every reader understands alike: ", 1},
		"between elements":  {[]byte("[" + good + ", what, " + event("2", "") + "]"), fmt.Sprintf("log %d not a record: want a JSON object", len(good)+3), 2},
		"not objects":       {[]byte("[1,2," + good + "]"), "log 1 not a record: want a JSON object", 1},
		"text":              {[]byte("hello\n" + good), "log 0 not JSON that every reader understands alike: ", 1},
		"two on a line":     {[]byte(good + good + "\n" + event("2", "")), "log 0 more than one value", 1},
		"more in wrapper":   {[]byte(`{"Records":[` + good + `],"x":{"y":"}"}}`), fmt.Sprintf("log %d there is more than records in the object that they stand in", 13+len(good)), 1},
		"no time":           {[]byte("[" + strings.Replace(good, "2026-11-02T09:00:00Z", "yesterday", 1) + "," + event("2", "") + "]"), "log 1 it has no time that can be read", 1},
		"absurd time":       {[]byte("[" + strings.Replace(good, "2026", "9999", 1) + "," + event("2", "") + "]"), "log 1 its time is in the year 9999", 1},
		"no id":             {[]byte("[" + event("", "") + "," + good + "]"), "log 1 not an event of this format: it has no id or no action", 1},
		"a number for a id": {[]byte("[" + strings.Replace(good, `"1"`, `{"a":1}`, 1) + "," + event("2", "") + "]"), "log 1 not an event of this format: it has no id or no action", 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, tt.data, dir, "log")
			write(t, []byte("["+event("other file", "")+"]"), dir, "other")
			r := runs(t, minimal(t, "cloudtrail", "me", dir))
			require.NotEmpty(t, r.problems())
			assert.Contains(t, r.problems()[0], tt.want)
			assert.False(t, r.Whole())
			assert.Len(t, r.findings, tt.found+1)
			require.NotEmpty(t, r.Logs[0].Gaps)
		})
	}
}

// What stands beside the records of one file is said once, and hides nothing of another
// that was appended to it.
func TestWhatStandsBesideTheRecordsHidesNothing(t *testing.T) {
	one := func(id string) string {
		return fmt.Sprintf(`{"Records":[{"eventID":%q,"eventTime":"2026-11-02T09:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","userIdentity":{"arn":"me"}}],"more":{"y":1}}`, id)
	}
	for name, data := range map[string]string{"one": one("1"), "two": one("1") + one("2")} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, []byte(data), dir, "log")
			r := runs(t, minimal(t, "cloudtrail", "me", dir))
			n := strings.Count(data, "Records")
			assert.Len(t, r.findings, n)
			assert.Len(t, r.problems(), n, "and none that the file was cut off")
		})
	}
}

// A link that leads out of a folder of logs, a folder that is none and what is no
// regular file are not opened.
func TestNothingOutsideOfAFolderIsRead(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	secret := write(t, []byte(`[{"eventID":"1","eventTime":"2026-11-02T09:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","userIdentity":{"arn":"me"}}]`), outside, "log.json")
	require.NoError(t, os.Symlink(secret, filepath.Join(dir, "a.json")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "b")))
	rel, err := filepath.Rel(dir, secret)
	require.NoError(t, err)
	require.NoError(t, os.Symlink(rel, filepath.Join(dir, "c.json")))
	r := runs(t, minimal(t, "cloudtrail", "me", dir))
	assert.Empty(t, r.findings)
	assert.Len(t, r.Problems, 3)
	for _, p := range r.Problems {
		assert.EqualValues(t, -1, p.Offset)
	}
	r = runs(t, minimal(t, "cloudtrail", "me", filepath.Join(dir, "gone")))
	assert.Equal(t, []string{"gone -1 no such file or directory"}, r.problems())
}

// zeros is gigabytes of them, packed.
type endless struct{ left int64 }

func (e *endless) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), e.left))
	clear(b[:n])
	e.left -= int64(n)
	return n, nil
}

// What expands without end is given up, long before it is through.
func TestBombs(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := io.Copy(w, &endless{1 << 30})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	in, err := newUnpacker().expanding(&packed)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, in)
	assert.ErrorContains(t, err, "expands to more than 300 times its size")
	assert.Less(t, n, int64(expandFree+1<<20))
}

// A record of 5 GB takes no more memory than any other, on a line as in an array.
func TestARecordOfGigabytes(t *testing.T) {
	size := int64(5 << 30)
	if testing.Short() {
		size = 64 << 20
	}
	for name, tt := range map[string]struct{ before, after string }{"line": {"", "\n"}, "element": {"[", ","}} {
		t.Run(name, func(t *testing.T) {
			s := newSplitter(io.MultiReader(strings.NewReader(tt.before+"{\"a\":\""), &endless{size}, strings.NewReader("\"}"+tt.after+"{\"b\":1}"+tt.after)), false)
			_, _, err := s.next()
			assert.EqualError(t, err, fmt.Sprintf("byte %d: a record of %d bytes: more than the %d that are read", len(tt.before), size+8, maxRecord))
			data, offset, err := s.next()
			require.NoError(t, err)
			assert.Equal(t, `{"b":1}`, string(data))
			assert.Equal(t, size+9+int64(len(tt.before)), offset)
			assert.Less(t, len(s.buf), 4*maxRecord)
		})
	}
}

// The stages of a request are one event; to act for somebody takes one's own
// credentials; what runs in a container is an act, whatever the verb.
func TestKubernetes(t *testing.T) {
	line := func(id, stage, verb, object, code string) string {
		return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":%q,"stage":%q,"requestURI":"/apis/apps/v1/x","verb":%q,"user":{"username":"bot"},"objectRef":{%s},"requestReceivedTimestamp":"2026-11-02T09:00:00.000001Z","stageTimestamp":"2026-11-02T09:00:01.5Z"%s}`,
			id, stage, verb, object, code)
	}
	scale, pods := `"resource":"deployments","apiGroup":"apps","subresource":"scale","namespace":"pay","name":"api"`, `"resource":"pods","namespace":"pay","name":"p","subresource":"exec"`
	ok, forbidden := `,"responseStatus":{"code":200}`, `,"responseStatus":{"code":403}`
	dir := t.TempDir()
	write(t, []byte(strings.Join([]string{
		line("1", "RequestReceived", "patch", scale, ""),
		line("1", "ResponseComplete", "patch", scale, ok),
		line("2", "ResponseComplete", "get", pods, `,"responseStatus":{"code":101}`),
		line("3", "RequestReceived", "delete", scale, ""), // its end is in no log
		line("4", "RequestReceived", "delete", scale, ""),
		line("4", "ResponseComplete", "delete", scale, forbidden),
		line("5", "ResponseComplete", "list", scale, ok),
		strings.Replace(line("6", "ResponseComplete", "patch", scale, ok), "/x", "/x?dryRun=All", 1),
		strings.Replace(line("7", "Panic", "delete", scale, ok), `{"username":"bot"}`, `{"username":"root"},"impersonatedUser":{"username":"bot"}`, 1),
		strings.Replace(line("8", "ResponseComplete", "delete", scale, ok), `{"username":"bot"}`, `{"username":"bot"},"impersonatedUser":{"username":"root"}`, 1),
	}, "\n")), dir, "audit.log")
	r := runs(t, minimal(t, "kubernetes", "bot", dir))
	assert.Empty(t, r.problems())
	var found []string
	for _, f := range r.findings {
		found = append(found, f.Event+" "+f.Action+" "+f.Resource+" "+f.Principal)
	}
	assert.Equal(t, []string{
		"1 patch:apps/deployments/scale pay/api bot", "2 get:pods/exec pay/p bot", "3 delete:apps/deployments/scale pay/api bot",
		"7 delete:apps/deployments/scale pay/api root as bot", "8 delete:apps/deployments/scale pay/api bot as root",
	}, found)
	c := r.Coverage
	assert.Equal(t, [4]int{8, 2, 2, 1}, [4]int{c.Events, c.Duplicates, c.ReadOnly, c.Failed})
}

// A client chooses the id of a request, how long it may take, and whether it asks for
// a dry run: none of that hides what it does.
func TestWhatKubernetesClientsChoose(t *testing.T) {
	request := func(verb, uri, subresource, received, more string) string {
		return fmt.Sprintf(`{"auditID":"mine","stage":"ResponseComplete","requestURI":%q,"verb":%q,"user":{"username":"bot"},"objectRef":{"resource":"pods","subresource":%q},"requestReceivedTimestamp":"2026-11-02T09:00:00.%sZ"%s}`,
			uri, verb, subresource, received, more)
	}
	const a, b = "/api/v1/namespaces/pay/pods/a", "/api/v1/namespaces/pay/pods/b"
	for name, c := range map[string]struct {
		lines []string
		want  [4]int // acts, repeated, read-only, failed
	}{
		"one id, two objects":             {[]string{request("delete", a, "", "1", ""), request("delete", b, "", "1", "")}, [4]int{2, 0, 0, 0}},
		"one id, two times":               {[]string{request("delete", a, "", "1", ""), request("delete", a, "", "2", "")}, [4]int{2, 0, 0, 0}},
		"one event, written twice":        {[]string{request("delete", a, "", "1", ""), request("delete", a, "", "1", "")}, [4]int{1, 1, 0, 0}},
		"a dry run":                       {[]string{request("patch", a+"?dryRun=All", "", "1", ""), request("create", a+"?x=1&dryRun=All", "", "2", "")}, [4]int{0, 0, 2, 0}},
		"a dry run of what scales":        {[]string{request("update", a+"?dryRun=All", "scale", "1", "")}, [4]int{0, 0, 1, 0}},
		"what runs in a container":        {[]string{request("create", a+"/exec?command=rm&dryRun=All", "exec", "1", "")}, [4]int{1, 0, 0, 0}},
		"through a proxy":                 {[]string{request("create", a+"/proxy/x?dryRun=All", "proxy", "1", "")}, [4]int{1, 0, 0, 0}},
		"a token":                         {[]string{request("create", a+"/token?dryRun=All", "token", "1", "")}, [4]int{1, 0, 0, 0}},
		"deleted, whatever the query":     {[]string{request("delete", a+"?dryRun=All", "", "1", "")}, [4]int{1, 0, 0, 0}},
		"deleted dry, by its body":        {[]string{request("delete", a, "", "1", `,"requestObject":{"kind":"DeleteOptions","dryRun":["All"]}`)}, [4]int{0, 0, 1, 0}},
		"no verb of the server's objects": {[]string{request("post", "/apply?dryRun=All", "", "1", "")}, [4]int{1, 0, 0, 0}},
		"too little time":                 {[]string{request("delete", a+"?timeout=1ms", "", "1", `,"responseStatus":{"code":504}`)}, [4]int{1, 0, 0, 0}},
		"a panic":                         {[]string{strings.Replace(request("delete", a, "", "1", `,"responseStatus":{"code":500}`), "ResponseComplete", "Panic", 1)}, [4]int{1, 0, 0, 0}},
		"refused":                         {[]string{request("delete", a, "", "1", `,"responseStatus":{"code":500}`), request("delete", b, "", "2", `,"responseStatus":{"code":403}`)}, [4]int{0, 0, 0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, []byte(strings.Join(c.lines, "\n")), dir, "audit.log")
			r := runs(t, minimal(t, "kubernetes", "bot", dir))
			assert.Empty(t, r.problems())
			got := r.Coverage
			assert.Equal(t, c.want, [4]int{got.Mutating, got.Duplicates, got.ReadOnly, got.Failed})
		})
	}
}

func TestRealKubernetes(t *testing.T) {
	r := runs(t, minimal(t, "kubernetes", "system:admin", filepath.Join(shareddata.Dir(t, "k8s-audit"), "demo.log")))
	assert.Empty(t, r.problems())
	assert.Equal(t, [2]int{37, 37}, [2]int{r.Coverage.Events, r.Coverage.ReadOnly})
	assert.Equal(t, time.Date(2017, 9, 11, 19, 55, 5, 0, time.UTC), r.Logs[0].First)
}
