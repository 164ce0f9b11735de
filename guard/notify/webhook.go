package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Webhook posts notifications to one address, as JSON (a [Message]), signed as
// [Header] says. It is safe for concurrent use. Make one with [NewWebhook].
type Webhook struct {
	address string
	secrets [][]byte
	client  *http.Client
}

const (
	attemptTimeout = 10 * time.Second // from dialling to the end of the answer
	maxAnswer      = 16 << 10         // bytes that are read of an answer, and of its header
)

// NewWebhook returns a webhook for an address, which must be https, or http to this
// machine itself (localhost, 127.0.0.1, [::1]), without user and password. It signs with
// each of the secrets: one of at least 32 random bytes, or two while they are
// rotated. To rotate, sign with old and new, give the receiver the new one, and then
// sign with the new one alone.
//
// Transport is for receivers behind a private certificate authority; nil is the
// system's trust, with the proxy of the environment. A redirect is not followed, and
// of an answer at most 16 KiB are read.
func NewWebhook(address string, transport http.RoundTripper, secrets ...[]byte) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, errors.New("notify: the webhook's address is not https://HOST/… without user and password; http:// is for localhost alone")
	}
	if err := checkSecrets(secrets); err != nil {
		return nil, err
	}
	w := &Webhook{address: address}
	for _, secret := range secrets {
		w.secrets = append(w.secrets, bytes.Clone(secret))
	}
	if transport == nil {
		transport = ownTransport(u.Scheme == "http")
	}
	w.client = &http.Client{
		Transport: transport, Timeout: attemptTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// ownTransport reaches, in plain text, nothing but this machine, whatever a name
// resolves to.
func ownTransport(plain bool) *http.Transport {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: maxAnswer, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: attemptTimeout, IdleConnTimeout: time.Minute, MaxIdleConns: 1,
	}
	if plain {
		t.Proxy = nil
		t.DialContext = (&net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
			if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().IsLoopback() {
				return fmt.Errorf("%s is not this machine: use https", address)
			}
			return nil
		}}).DialContext
	}
	return t
}

// Send posts a message once. It returns nil for a status of 2xx. Statuses of 408, 425,
// 429 and 5xx, and failures to get one, can be tried again; every other one, a
// redirect too, wraps [ErrRefused]. No error quotes the address, whose path and query
// may be secret; it can name the host.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: the request cannot be made", ErrRefused)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ambit")
	req.Header.Set(Header, sign(body, time.Now(), w.secrets))
	res, err := w.client.Do(req)
	if err != nil {
		if about := (*url.Error)(nil); errors.As(err, &about) {
			err = about.Err
		}
		return fmt.Errorf("notify: the webhook could not be reached: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer) // so that the connection serves again
	return answered(res.StatusCode)
}

// answered makes an error of a status.
func answered(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return fmt.Errorf("notify: the webhook answered with status %d", status)
	}
	return fmt.Errorf("%w: the webhook answered with status %d", ErrRefused, status)
}
