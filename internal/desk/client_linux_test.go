package desk

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// answering returns a desk at a host that answers every request alike.
func answering(t *testing.T, answer http.HandlerFunc) Desk {
	t.Helper()
	dir := t.TempDir()
	s, err := ListenSocket(dir)
	require.NoError(t, err)
	host := &http.Server{Handler: answer}
	ended := make(chan error, 1)
	go func() { ended <- host.Serve(s) }()
	t.Cleanup(func() {
		assert.NoError(t, host.Close())
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	d, err := Dial(t.Context(), dir)
	require.NoError(t, err)
	return d
}

// An answer that does not come leaves open whether what was said counts; one that
// says so does not.
func TestWhatComesOfAnAnswer(t *testing.T) {
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		is     error
		says   string
	}{
		"the host dies": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, journal.ErrUncertain, "the host's answer"},
		"half an answer":  {say(200, `{"kind":`), journal.ErrUncertain, "the host's answer"},
		"no host of ours": {say(502, "<html>"), journal.ErrUncertain, "502"},
		"uncertain":       {say(500, `{"code":"uncertain","error":"nobody knows"}`), journal.ErrUncertain, "nobody knows"},
		"refused":         {say(409, `{"code":"refused","error":"it expired"}`), ledger.ErrRefused, "it expired"},
		"not held":        {say(409, `{"code":"not_held","error":"x"}`), ledger.ErrNotHeld, "x"},
		"not permitted":   {say(403, `{"code":"not_permitted","error":"y"}`), ErrNotPermitted, "y"},
	} {
		t.Run(name, func(t *testing.T) {
			d := answering(t, c.answer)
			_, err := d.Answer(t.Context(), Answer{Ticket: "x", Answer: rationale.AnswerApprove})
			require.ErrorIs(t, err, c.is)
			assert.ErrorContains(t, err, c.says)
			_, err = d.Tickets(t.Context())
			require.Error(t, err)
			if c.is == journal.ErrUncertain && name != "uncertain" {
				assert.NotErrorIs(t, err, journal.ErrUncertain, "who looks changes nothing")
			}
		})
	}
	failed := answering(t, say(500, `{"code":"failed","error":"the disk is full"}`))
	_, err := failed.Suspend(t.Context(), Switch{Why: "x"})
	require.EqualError(t, err, "the disk is full")
	assert.NotErrorIs(t, err, ledger.ErrRefused)

	d := answering(t, say(200, `[{"decision":`+strings.TrimSpace(record1)+`,"answers":[]}]`))
	_, err = d.Tickets(t.Context())
	assert.Error(t, err, "no decision that pends")
	_, err = d.Reviews(t.Context())
	assert.Error(t, err)
}

// record1 is a record of another kind than was asked for.
const record1 = `{"kind":"outcome","id":"o","at":"2026-11-01T00:00:00Z","decision":"d","started":"2026-11-01T00:00:00Z","status":"success"}`

func TestNobodyAnswers(t *testing.T) {
	dir := t.TempDir()
	_, err := Dial(t.Context(), dir)
	require.ErrorIs(t, err, ErrNoHost)
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: dir + "/" + socketName, Net: "unix"})
	require.NoError(t, err)
	left.SetUnlinkOnClose(false)
	require.NoError(t, left.Close())
	_, err = Dial(t.Context(), dir)
	require.ErrorIs(t, err, ErrNoHost, "whoever listened has ended")
	require.NoError(t, os.Remove(dir+"/"+socketName))
	_, err = Dial(t.Context(), dir+"/nowhere")
	assert.ErrorIs(t, err, ErrNoHost)
}
