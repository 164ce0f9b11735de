package rationale

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// RecordKey is a secret under which a record has keyed digests in place of
// values (record: hmac in a document): who has the key can tell which values are
// equal, and whether one is a given value; nobody else can, however few values
// there may be.
type RecordKey struct {
	ID     string // its name in records, 1 to 64 of A-Z a-z 0-9 '.' '_' '-'
	Secret []byte `json:"-"` // at least 32 bytes, from a random source
}

// String returns the key's id.
func (k RecordKey) String() string { return "record key " + k.ID }

// Format writes String, whatever the verb: none prints the secret.
func (k RecordKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// KeyedPrefix is what every keyed digest begins with; the key's id, ':' and
// the HMAC in lower-case hex follow.
const KeyedPrefix = "hmac-sha256:"

const (
	minSecret = 32 // bytes
	maxKeyID  = 64
)

// Validate returns nil if the key can be used, and otherwise what is wrong,
// without any part of the secret.
func (k RecordKey) Validate() error {
	if k.ID == "" || len(k.ID) > maxKeyID || strings.ContainsFunc(k.ID, notInKeyID) {
		return fmt.Errorf("the id of a record key is 1 to %d letters, digits, '.', '_' and '-'", maxKeyID)
	}
	if len(k.Secret) < minSecret {
		return fmt.Errorf("record key %s: the secret has %d bytes, want at least %d random ones", k.ID, len(k.Secret), minSecret)
	}
	for _, b := range k.Secret {
		if b != k.Secret[0] {
			return nil
		}
	}
	return errors.New("record key " + k.ID + ": the secret is one byte repeated, want random bytes")
}

const keyIDChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

func notInKeyID(r rune) bool { return !strings.ContainsRune(keyIDChars, r) }

// Digest returns the keyed digest of a value at a place in records: "arguments"
// for all of them, a path such as args.customer, derived.NAME or facts.NAME for
// one value, rationale.purpose and so on, "results". The value is JSON, of which
// the canonical form counts; what is no JSON counts as its bytes.
//
// It is the HMAC-SHA-256 (RFC 2104) of the text "ambit/v1 record" and a NUL, the
// length of the place in bytes as 8 bytes, big-endian, the place and the value.
// So equal values have equal digests at one place, and unrelated ones at two.
func (k RecordKey) Digest(place string, value []byte) string {
	if canonical, err := Canonicalize(value); err == nil {
		value = canonical
	}
	mac := hmac.New(sha256.New, k.Secret)
	head := append([]byte("ambit/v1 record\x00"), make([]byte, 8)...)
	binary.BigEndian.PutUint64(head[len(head)-8:], uint64(len(place)))
	mac.Write(append(head, place...))
	mac.Write(value)
	return KeyedPrefix + k.ID + ":" + hex.EncodeToString(mac.Sum(nil))
}

// DigestText is Digest of a text, as the JSON string that it is in a record.
func (k RecordKey) DigestText(place, text string) string {
	w := newWriter()
	defer w.release()
	w.text(text)
	return k.Digest(place, w.out)
}
