package control_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/guard/ledger/control"
	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var kim = authority.User{Person: rationale.Person{ID: "kim@example.com", Groups: []string{"oncall"}}}

// known takes whoever runs the tests for kim.
func known(string) (authority.User, error) { return kim, nil }

func open(t *testing.T, dir string) *ledger.Memory {
	t.Helper()
	l, err := ledger.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}

func listen(t *testing.T, l *ledger.Memory, who func(string) (authority.User, error)) {
	t.Helper()
	s, err := control.Listen(l, who)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
}

// pends admits a call that waits for people.
func pends(t *testing.T, l *ledger.Memory) string {
	t.Helper()
	d := guardtest.Pending()
	require.NoError(t, l.Admit(t.Context(), d))
	require.NotNil(t, d.Ticket)
	return d.ID
}

// raw sends a request as whoever has no client of ours.
func raw(t *testing.T, dir, method, path string, body io.Reader) (status int, answer string) {
	t.Helper()
	c := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "control.sock"))
		},
	}}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://host"+path, body)
	require.NoError(t, err)
	got, err := c.Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	return got.StatusCode, string(data)
}

// What is too large, malformed or nowhere is refused, and answers nothing.
func TestRequestsThatAreNone(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	listen(t, l, known)
	ticket := pends(t, l)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"nothing":            {"POST", "/v1/answer", ``, 400, "cannot be read"},
		"no JSON":            {"POST", "/v1/answer", `{"ticket"`, 400, "cannot be read"},
		"another shape":      {"POST", "/v1/answer", `["` + ticket + `"]`, 400, "cannot be read"},
		"an unknown member":  {"POST", "/v1/answer", `{"ticket":"` + ticket + `","answer":"approve","by":{"id":"boss@example.com"}}`, 400, "unknown"},
		"a member twice":     {"POST", "/v1/answer", `{"ticket":"x","ticket":"` + ticket + `","answer":"approve"}`, 400, "duplicate"},
		"two requests":       {"POST", "/v1/answer", `{"ticket":"` + ticket + `","answer":"approve"}{}`, 400, "cannot be read"},
		"no UTF-8":           {"POST", "/v1/answer", "{\"ticket\":\"" + ticket + "\",\"answer\":\"approve\",\"why\":\"\xff\"}", 400, "cannot be read"},
		"too large":          {"POST", "/v1/answer", `{"ticket":"` + ticket + `","answer":"approve","why":"` + strings.Repeat("x", 64<<10) + `"}`, 400, "too large: at most 65536 bytes"},
		"too many words":     {"POST", "/v1/answer", `{"ticket":"` + ticket + `","answer":"approve","why":"` + strings.Repeat("x", 3000) + `"}`, 409, "at most 2048 bytes"},
		"no such answer":     {"POST", "/v1/answer", `{"ticket":"` + ticket + `","answer":"yes"}`, 409, `the answer is \"yes\"`},
		"no such ticket":     {"POST", "/v1/answer", `{"ticket":"x","answer":"approve"}`, 409, "no ticket of this id"},
		"an answer by GET":   {"GET", "/v1/answer", ``, 405, "Method Not Allowed"},
		"a list by POST":     {"POST", "/v1/tickets", `{}`, 405, "Method Not Allowed"},
		"nowhere":            {"GET", "/", ``, 404, "not found"},
		"a file":             {"GET", "/../00000001.seg", ``, 404, "not found"},
		"admitting a call":   {"POST", "/v1/admit", `{}`, 404, "not found"},
		"a suspension of no": {"POST", "/v1/suspend", `{"what":{},"why":"x"}`, 409, "a suspension names an agent"},
		"no why":             {"POST", "/v1/suspend", `{"what":{"everything":true},"why":" "}`, 409, "needs to say why"},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := raw(t, dir, c.method, c.path, strings.NewReader(c.body))
			assert.Equal(t, c.status, status)
			assert.Contains(t, answer, c.says)
			assert.Empty(t, l.Tickets(l.Journal().Now())[0].Answers)
			assert.Empty(t, l.Suspensions())
		})
	}
	conn, err := net.Dial("unix", filepath.Join(dir, "control.sock"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET /v1/tickets HTTP/1.1\r\nHost: x\r\nX: %s", strings.Repeat("x", 16<<10))
	require.NoError(t, err)
	data, _ := io.ReadAll(conn) // what it did not read ends the connection
	assert.Contains(t, string(data), "431 Request Header Fields Too Large")
}

// Who is nobody is told what is missing before the request is looked at.
func TestNobodyIsAsked(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	me, err := desk.Me()
	require.NoError(t, err)
	asked := ""
	listen(t, l, func(name string) (authority.User, error) {
		asked = name
		return authority.User{}, errors.New("no entry users.local." + name)
	})
	pends(t, l)
	for _, path := range []string{"/v1/tickets", "/v1/reviews", "/v1/held", "/v1/budgets", "/v1/suspensions", "/v1/unanswered"} {
		status, answer := raw(t, dir, "GET", path, nil)
		assert.Equal(t, 403, status)
		assert.Equal(t, `{"code":"not_permitted","error":"no entry users.local.`+me+`"}`, answer)
	}
	for _, path := range []string{"/v1/answer", "/v1/review", "/v1/settle", "/v1/suspend", "/v1/resume", "/v1/audited", "/v1/answer-audit"} {
		status, _ := raw(t, dir, "POST", path, strings.NewReader(`not even JSON`))
		assert.Equal(t, 403, status, path)
	}
	assert.Equal(t, me, asked)
}

func TestListenNeedsAJournal(t *testing.T) {
	_, err := control.Listen(nil, known)
	require.ErrorContains(t, err, "a ledger with a journal")
	_, err = control.Listen(ledger.New(&guardtest.Recorder{}), known)
	require.ErrorContains(t, err, "a ledger with a journal")
	l, err := ledger.Open(t.TempDir())
	require.NoError(t, err)
	_, err = control.Listen(l, nil)
	require.ErrorContains(t, err, "Guard.LocalUser")
	require.NoError(t, l.Close())
	_, err = control.Listen(l, known)
	assert.ErrorIs(t, err, journal.ErrClosed, "its lock is no longer ours")
}

// The socket lets those connect who may enter the folder.
func TestTheFolderDecidesWhoConnects(t *testing.T) {
	for mode, want := range map[fs.FileMode]fs.FileMode{0o700: 0o600, 0o750: 0o660, 0o711: 0o666, 0o701: 0o606} {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, mode))
		listen(t, open(t, dir), known)
		info, err := os.Lstat(filepath.Join(dir, "control.sock"))
		require.NoError(t, err)
		assert.Equal(t, want|fs.ModeSocket, info.Mode(), "%o", mode)
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o770))
	_, err := control.Listen(open(t, dir), known)
	assert.ErrorContains(t, err, "may be written by others than its owner (mode 0770)")
}

// A socket that was left behind, or serves no more, is replaced; nothing else is.
func TestWhatIsInTheWay(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "control.sock")
	l := open(t, dir)
	require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
	_, err := control.Listen(l, known)
	require.ErrorContains(t, err, "is no socket: move it away")
	require.NoError(t, os.Remove(path))

	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	left.SetUnlinkOnClose(false)
	require.NoError(t, left.Close())
	first, err := control.Listen(l, known)
	require.NoError(t, err)
	second, err := control.Listen(l, known)
	require.NoError(t, err)
	require.NoError(t, first.Close())
	d, err := desk.Dial(t.Context(), dir)
	require.NoError(t, err, "closing the first leaves the second alone")
	_, err = d.Tickets(t.Context())
	require.NoError(t, err)
	require.NoError(t, second.Close())
	require.NoError(t, second.Close(), "twice")
	_, err = os.Lstat(path)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = desk.Dial(t.Context(), dir)
	assert.ErrorIs(t, err, desk.ErrNoHost)
}

// A path that is too long for a socket's address works all the same.
func TestLongPaths(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	l := open(t, dir)
	listen(t, l, known)
	ticket := pends(t, l)
	d, err := desk.Dial(t.Context(), dir)
	require.NoError(t, err)
	all, err := d.Tickets(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, ticket, all[0].Decision.ID)
}

// One who connects and says nothing keeps nobody from the kill switch: of one OS
// user there are so many connections, and each ends.
func TestConnectionsOfOneUserAreBounded(t *testing.T) {
	dir := t.TempDir()
	listen(t, open(t, dir), known)
	var all []net.Conn
	defer func() {
		for _, c := range all {
			_ = c.Close()
		}
	}()
	for range 32 {
		c, err := net.Dial("unix", filepath.Join(dir, "control.sock"))
		require.NoError(t, err)
		all = append(all, c)
	}
	last, err := net.Dial("unix", filepath.Join(dir, "control.sock"))
	require.NoError(t, err)
	defer last.Close()
	_, err = last.Read(make([]byte, 1))
	assert.Error(t, err, "it is closed at once")
	assert.False(t, errors.Is(err, os.ErrDeadlineExceeded))
}

// Of several persons who approve at once as many count as are needed.
func TestRacingApprovals(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var n atomic.Int64
	listen(t, l, func(string) (authority.User, error) {
		return authority.User{Person: rationale.Person{ID: fmt.Sprint("person", n.Add(1)), Groups: []string{"oncall"}}}, nil
	})
	for range 10 {
		ticket := pends(t, l)
		var counted atomic.Int64
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				d, err := desk.Dial(t.Context(), dir)
				if !assert.NoError(t, err) {
					return
				}
				if _, err = d.Answer(t.Context(), desk.Answer{Ticket: ticket, Answer: rationale.AnswerApprove}); err == nil {
					counted.Add(1)
				} else {
					assert.ErrorIs(t, err, ledger.ErrRefused)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int64(1), counted.Load())
	}
	for _, p := range l.Tickets(l.Journal().Now()) {
		assert.Len(t, p.Answers, 1)
	}
}

// Everything that a person may do comes through, and errors stay what they are.
func TestAPersonAtTheSocket(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	who := kim
	listen(t, l, func(string) (authority.User, error) { return who, nil })
	ctx := t.Context()
	d, err := desk.Dial(ctx, dir)
	require.NoError(t, err)
	agent := rationale.Suspension{Agent: "bot"}
	warning, err := d.Suspend(ctx, desk.Switch{What: agent, Why: "x"})
	require.NoError(t, err)
	assert.Equal(t, "no document that is loaded here is of agent bot", warning)
	in, err := d.Suspensions(ctx)
	require.NoError(t, err)
	require.Len(t, in, 1)
	assert.Equal(t, []string{"kim@example.com", "x"}, []string{in[0].By, in[0].Message})
	require.ErrorIs(t, d.Resume(ctx, desk.Switch{What: agent, Why: "y"}), desk.ErrNotPermitted)
	who.Resumes = true
	require.NoError(t, d.Resume(ctx, desk.Switch{What: agent, Why: "y"}))
	require.ErrorIs(t, d.Resume(ctx, desk.Switch{What: agent, Why: "y"}), ledger.ErrRefused)
	_, err = d.Settle(ctx, desk.Settlement{Decision: "x", Status: rationale.StatusSuccess, Why: "y"})
	require.ErrorIs(t, err, desk.ErrNotPermitted)
	who.Settles = true
	_, err = d.Settle(ctx, desk.Settlement{Decision: "x", Status: rationale.StatusSuccess, Why: "y"})
	require.ErrorIs(t, err, ledger.ErrNotHeld)
	_, err = d.Review(ctx, desk.Review{Decision: "x", Finding: rationale.Upheld})
	require.ErrorIs(t, err, ledger.ErrRefused)
	_, err = d.Answer(ctx, desk.Answer{Ticket: "x", Answer: rationale.AnswerApprove})
	require.ErrorIs(t, err, ledger.ErrRefused)
	for _, list := range []func() (int, error){
		func() (int, error) { all, err := d.Budgets(ctx); return len(all), err },
		func() (int, error) { all, err := d.Held(ctx); return len(all), err },
		func() (int, error) { all, err := d.Reviews(ctx); return len(all), err },
	} {
		n, err := list()
		require.NoError(t, err)
		assert.Zero(t, n)
	}
}
