package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Header carries the signature of a request: "t=SECONDS,v1=HEX", with one v1 for
// each secret of the sender. SECONDS is the Unix time of sending, and HEX the
// HMAC-SHA256, in lower case, of SECONDS, a full stop and the exact body.
const Header = "Ambit-Signature"

// ReplayWindow is how far the time of a signature may be from the receiver's. A
// receiver that also remembers the ids of the notifications of twice this time acts
// on none twice; each attempt to deliver one is signed anew.
const ReplayWindow = 5 * time.Minute

// minSecret is the shortest secret, in bytes.
const minSecret = 32

// Verify checks what a webhook has sent: that the value of [Header] signs the exact
// body with one of the receiver's secrets, at a time within [ReplayWindow] of now. It
// is for receivers in Go, and says to others what they have to do. A secret of fewer
// than 32 bytes is an error.
func Verify(header string, body []byte, now time.Time, secrets ...[]byte) error {
	if err := checkSecrets(secrets); err != nil {
		return err
	}
	stamp, signatures := parseHeader(header)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(signatures) == 0 {
		return fmt.Errorf("notify: the header %s is not t=SECONDS,v1=HEX", Header)
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > ReplayWindow || age < -ReplayWindow {
		return fmt.Errorf("notify: it was signed %s ago, and counts for %s", age.Round(time.Second), ReplayWindow)
	}
	for _, secret := range secrets {
		want := mac(secret, stamp, body)
		for _, signature := range signatures {
			if got, err := hex.DecodeString(signature); err == nil && hmac.Equal(got, want) {
				return nil
			}
		}
	}
	return errors.New("notify: no signature is of this body with a secret that is known")
}

// parseHeader returns the time as it was written, and the first few signatures.
func parseHeader(header string) (stamp string, signatures []string) {
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "t" && stamp == "":
			stamp = value
		case name == "v1" && len(signatures) < 2:
			signatures = append(signatures, value)
		}
	}
	return stamp, signatures
}

// sign returns the value of the header.
func sign(body []byte, now time.Time, secrets [][]byte) string {
	stamp := strconv.FormatInt(now.Unix(), 10)
	value := "t=" + stamp
	for _, secret := range secrets {
		value += ",v1=" + hex.EncodeToString(mac(secret, stamp, body))
	}
	return value
}

func mac(secret []byte, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(stamp))
	h.Write([]byte{'.'})
	h.Write(body)
	return h.Sum(nil)
}

func checkSecrets(secrets [][]byte) error {
	if n := len(secrets); n < 1 || n > 2 {
		return fmt.Errorf("notify: there are %d secrets, want one, or two while they are rotated", n)
	}
	for i, secret := range secrets {
		if len(secret) < minSecret {
			return fmt.Errorf("notify: secret %d has %d bytes, want at least %d random ones", i+1, len(secret), minSecret)
		}
	}
	return nil
}
