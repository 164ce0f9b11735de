package notify_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/notify"
	"github.com/ambit-go/ambit/rationale"
)

var (
	oldSecret = []byte("the old secret, of at least 32 bytes")
	newSecret = []byte("the new secret, of at least 32 bytes")
	message   = notify.Message{Notification: rationale.Notification{ID: "n1", Kind: rationale.NotifyPend, Claim: "<b>low risk</b>"}, Dropped: 3}
)

// request is what a receiver got.
type request struct {
	method string
	header http.Header
	body   []byte
}

// serve answers every request with handler, and keeps the last one.
func serve(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *request) {
	t.Helper()
	last := new(request)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		*last = request{r.Method, r.Header.Clone(), body}
		if handler != nil {
			handler(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s, last
}

func webhook(t *testing.T, address string, secrets ...[]byte) *notify.Webhook {
	t.Helper()
	if secrets == nil {
		secrets = [][]byte{newSecret}
	}
	w, err := notify.NewWebhook(address, nil, secrets...)
	require.NoError(t, err)
	return w
}

func TestAWebhookSignsItsBody(t *testing.T) {
	server, got := serve(t, nil)
	require.NoError(t, webhook(t, server.URL, oldSecret, newSecret).Send(t.Context(), message))
	assert.Equal(t, http.MethodPost, got.method)
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	var m notify.Message
	require.NoError(t, json.Unmarshal(got.body, &m))
	assert.Equal(t, message, m)
	assert.NotContains(t, string(got.body), "<b>", "it is no markup either")

	header := got.header.Get(notify.Header)
	for _, secrets := range [][][]byte{{oldSecret}, {newSecret}, {oldSecret, newSecret}} {
		assert.NoError(t, notify.Verify(header, got.body, time.Now(), secrets...))
	}
	// As the documentation says it, for receivers in other languages.
	stamp, rest, _ := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
	_, second, _ := strings.Cut(rest, ",v1=")
	h := hmac.New(sha256.New, newSecret)
	h.Write([]byte(stamp + "." + string(got.body)))
	assert.Equal(t, hex.EncodeToString(h.Sum(nil)), second)
}

func TestVerify(t *testing.T) {
	server, got := serve(t, nil)
	require.NoError(t, webhook(t, server.URL, newSecret).Send(t.Context(), message))
	header, body, now := got.header.Get(notify.Header), got.body, time.Now()
	stamp, signature, _ := strings.Cut(header, ",")
	other := bytes.Replace(body, []byte("n1"), []byte("n2"), 1)
	for _, tt := range []struct {
		name, header string
		body         []byte
		now          time.Time
		secrets      [][]byte
		want         string // empty: it counts
	}{
		{name: "as sent", header: header, body: body, now: now},
		{name: "with spaces", header: stamp + ", " + signature, body: body, now: now},
		{name: "late", header: header, body: body, now: now.Add(notify.ReplayWindow - time.Second)},
		{name: "too late", header: header, body: body, now: now.Add(notify.ReplayWindow + 2*time.Second), want: "counts for 5m0s"},
		{name: "from the future", header: header, body: body, now: now.Add(-notify.ReplayWindow - 2*time.Second), want: "counts for 5m0s"},
		{name: "another body", header: header, body: other, now: now, want: "no signature"},
		{name: "another time", header: fmt.Sprintf("t=%d,%s", now.Unix()-60, signature), body: body, now: now, want: "no signature"},
		{name: "another secret", header: header, body: body, now: now, secrets: [][]byte{oldSecret}, want: "no signature"},
		{name: "a short secret", header: header, body: body, now: now, secrets: [][]byte{[]byte("short")}, want: "secret 1 has 5 bytes"},
		{name: "no secret", header: header, body: body, now: now, secrets: [][]byte{}, want: "there are 0 secrets"},
		{name: "no signature", header: stamp, body: body, now: now, want: "is not t=SECONDS"},
		{name: "no time", header: signature, body: body, now: now, want: "is not t=SECONDS"},
		{name: "half a signature", header: header[:len(header)-2], body: body, now: now, want: "no signature"},
		{name: "an empty one", header: stamp + ",v1=", body: body, now: now, want: "no signature"},
		{name: "nothing", header: "", body: body, now: now, want: "is not t=SECONDS"},
		{name: "many", header: stamp + strings.Repeat(",v1=00", 1000) + "," + signature, body: body, now: now, want: "no signature"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.secrets == nil {
				tt.secrets = [][]byte{newSecret}
			}
			err := notify.Verify(tt.header, tt.body, tt.now, tt.secrets...)
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestWhereAWebhookMayLead(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://hooks.bank.example/ambit": true,
		"http://localhost:8080/":           true,
		"http://127.0.0.1:8080/":           true,
		"http://[::1]:8080/":               true,
		"http://hooks.bank.example/":       false,
		"http://10.0.0.1/":                 false,
		"http://localhost.evil.example/":   false,
		"https://user:pass@bank.example/":  false,
		"ftp://bank.example/":              false,
		"https:///path":                    false,
		"bank.example":                     false,
		"":                                 false,
		"https://bank.example/%zz":         false,
	} {
		_, err := notify.NewWebhook(address, nil, newSecret)
		assert.Equal(t, ok, err == nil, "%q: %v", address, err)
	}
	for _, secrets := range [][][]byte{nil, {[]byte("short")}, {oldSecret, newSecret, oldSecret}} {
		_, err := notify.NewWebhook("https://bank.example/", nil, secrets...)
		assert.ErrorContains(t, err, "secret")
	}
}

func TestAnswersOfAReceiver(t *testing.T) {
	for status, want := range map[int]struct{ fails, again bool }{
		200: {}, 204: {},
		302: {fails: true}, 400: {fails: true}, 404: {fails: true}, 410: {fails: true},
		408: {fails: true, again: true}, 425: {fails: true, again: true}, 429: {fails: true, again: true},
		500: {fails: true, again: true}, 503: {fails: true, again: true},
	} {
		server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		err := webhook(t, server.URL).Send(t.Context(), message)
		assert.Equal(t, want.fails, err != nil, "%d: %v", status, err)
		if want.fails && want.again {
			assert.NotErrorIs(t, err, notify.ErrRefused, "%d", status)
		} else if want.fails {
			assert.ErrorIs(t, err, notify.ErrRefused, "%d", status)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	elsewhere, got := serve(t, nil)
	for _, status := range []int{301, 302, 303, 307, 308} {
		server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		assert.ErrorIs(t, webhook(t, server.URL).Send(t.Context(), message), notify.ErrRefused)
		assert.Empty(t, got.method)
	}
}

// An answer without end costs 16 KiB, and one that does not come its deadline.
func TestAnswersAreBounded(t *testing.T) {
	cut := make(chan bool, 1)
	server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		const much = 256 << 20 // more than any socket holds
		sent := 0
		for n, err := 1, error(nil); err == nil && sent < much; sent += n {
			n, err = w.Write(make([]byte, 64<<10))
		}
		cut <- sent < much
	})
	assert.NoError(t, webhook(t, server.URL).Send(t.Context(), message))
	assert.True(t, <-cut, "the rest was not read")

	asked := make(chan struct{})
	server, _ = serve(t, func(_ http.ResponseWriter, r *http.Request) { close(asked); <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	assert.ErrorIs(t, webhook(t, server.URL).Send(ctx, message), context.Canceled)

	server, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) })
	assert.Error(t, webhook(t, server.URL).Send(t.Context(), message))
}

// An address can hold a secret, as those of chat systems do.
func TestErrorsNameNoAddress(t *testing.T) {
	server, _ := serve(t, nil)
	server.Close()
	err := webhook(t, server.URL+"/services/T0/B0/hush").Send(t.Context(), message)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hush")
	_, err = notify.NewWebhook("ftp://bank.example/hush", nil, newSecret)
	assert.NotContains(t, err.Error(), "hush")
}

func TestATransportOfTheHost(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	assert.Error(t, webhook(t, s.URL).Send(t.Context(), message), "a certificate that nobody trusts")
	w, err := notify.NewWebhook(s.URL, s.Client().Transport, newSecret)
	require.NoError(t, err)
	assert.NoError(t, w.Send(t.Context(), message))
}
