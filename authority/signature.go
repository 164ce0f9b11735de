package authority

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// PayloadType is the type of payload that a document's signature names.
const PayloadType = "application/vnd.ambit.document.v1+yaml"

// trust is what the host says about signatures.
type trust struct {
	keys          map[string]ed25519.PublicKey // by keyID
	allowUnsigned bool
}

// keyID returns the id of a public key: "sha256:" and the SHA-256 of its raw
// bytes in hexadecimal.
func keyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Limits of one signature file.
const (
	maxSignatureBytes = 4 << 20 // the payload is in it
	maxSignatures     = 64
)

// envelope is a DSSE envelope (secure-systems-lab/dsse, envelope.md).
type envelope struct {
	PayloadType string              `json:"payloadType"`
	Payload     string              `json:"payload"`
	Signatures  []envelopeSignature `json:"signatures"`
}

type envelopeSignature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

// verify returns the ids of the distinct trusted keys that signed the exact
// bytes of data. No signature at all is none of them and no error. A signature
// file that cannot be read, is of other bytes, names a trusted key falsely, or
// of which no signature is by a trusted key, is an error; without any trusted
// key nothing can be said, and there are no signers.
//
// The id in an envelope is a hint: every trusted key is tried, and a key counts
// once however often it signed. A panic is an error.
func (t trust) verify(data, signature []byte) (signers map[string]bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			signers, err = nil, fmt.Errorf("%v", r)
		}
	}()
	if signature == nil {
		return nil, nil
	}
	e, err := readEnvelope(data, signature)
	if err != nil {
		return nil, err
	}
	if len(t.keys) == 0 {
		return nil, nil
	}
	message := preAuthEncoding(PayloadType, data)
	signers = make(map[string]bool)
	for i, s := range e.Signatures {
		sig, err := decodeBase64(s.Sig)
		if err != nil || len(sig) != ed25519.SignatureSize {
			return nil, fmt.Errorf("signature %d is no Ed25519 signature in base64", i+1)
		}
		signer := t.signer(message, sig)
		if _, named := t.keys[s.KeyID]; named && signer != s.KeyID {
			return nil, fmt.Errorf("signature %d is not by the key %s that it names", i+1, s.KeyID)
		}
		if signer != "" {
			signers[signer] = true
		}
	}
	if len(signers) == 0 {
		return nil, fmt.Errorf("no signature is by a trusted key")
	}
	return signers, nil
}

func (t trust) signer(message, sig []byte) string {
	for id, key := range t.keys {
		if len(key) == ed25519.PublicKeySize && keyID(key) == id && ed25519.Verify(key, message, sig) {
			return id
		}
	}
	return ""
}

func readEnvelope(data, signature []byte) (envelope, error) {
	var e envelope
	limits := strictjson.Limits{Bytes: maxSignatureBytes, Depth: 8, Nodes: 16 * maxSignatures, NumberBytes: 32}
	if err := strictjson.Scan(signature, limits); err != nil {
		return e, fmt.Errorf("it is no DSSE envelope: %w", err)
	}
	if err := json.Unmarshal(signature, &e); err != nil {
		return e, fmt.Errorf("it is no DSSE envelope: %w", err)
	}
	if e.PayloadType != PayloadType {
		return e, fmt.Errorf("its payload is of type %q: want %q", e.PayloadType, PayloadType)
	}
	payload, err := decodeBase64(e.Payload)
	if err != nil {
		return e, fmt.Errorf("its payload is not base64")
	}
	if string(payload) != string(data) {
		return e, fmt.Errorf("it signs other bytes than those of the document")
	}
	if n := len(e.Signatures); n == 0 || n > maxSignatures {
		return e, fmt.Errorf("it has %d signatures: want 1 to %d", n, maxSignatures)
	}
	return e, nil
}

// decodeBase64 reads base64 in the standard or the URL alphabet; DSSE has both.
func decodeBase64(s string) ([]byte, error) {
	if b, err := base64.StdEncoding.Strict().DecodeString(s); err == nil {
		return b, nil
	}
	return base64.URLEncoding.Strict().DecodeString(s)
}

// preAuthEncoding is what a DSSE signature is of (PAE, protocol.md).
func preAuthEncoding(payloadType string, payload []byte) []byte {
	b := make([]byte, 0, len(payload)+len(payloadType)+48)
	b = append(b, "DSSEv1 "...)
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(b, ' ')
	b = append(b, payloadType...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	b = append(b, ' ')
	return append(b, payload...)
}

// quorum reports whether enough of the body's keys signed, of those that were
// valid at a time, and how many did. A body that lists no keys takes one
// trusted key.
func (b *bodyDoc) quorum(signers map[string]bool, at time.Time) (int, bool) {
	if len(b.Keys) == 0 {
		return len(signers), len(signers) > 0
	}
	n := 0
	for _, k := range b.Keys {
		valid := !at.Before(k.From) && (k.Until.IsZero() || at.Before(k.Until))
		if signers[k.ID] && valid {
			n++
		}
	}
	return n, b.Quorum > 0 && n >= b.Quorum
}
