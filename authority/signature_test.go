package authority

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// key returns a key pair made of one repeated byte.
func key(b byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
	return private.Public().(ed25519.PublicKey), private
}

func trusting(keys ...byte) trust {
	t := trust{keys: make(map[string]ed25519.PublicKey)}
	for _, b := range keys {
		public, _ := key(b)
		t.keys[keyID(public)] = public
	}
	return t
}

func idOf(b byte) string {
	public, _ := key(b)
	return keyID(public)
}

// sealed returns an envelope of data, signed by the keys.
func sealed(data []byte, keys ...byte) envelope {
	e := envelope{PayloadType: PayloadType, Payload: base64.StdEncoding.EncodeToString(data)}
	for _, b := range keys {
		_, private := key(b)
		sig := ed25519.Sign(private, preAuthEncoding(PayloadType, data))
		e.Signatures = append(e.Signatures, envelopeSignature{KeyID: idOf(b), Sig: base64.StdEncoding.EncodeToString(sig)})
	}
	return e
}

func (e envelope) bytes(t *testing.T) []byte {
	data, err := json.Marshal(e)
	require.NoError(t, err)
	return data
}

// The vector of the DSSE protocol's own text.
func TestPreAuthEncoding(t *testing.T) {
	assert.Equal(t, "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
		string(preAuthEncoding("http://example.com/HelloWorld", []byte("hello world"))))
	assert.Equal(t, "DSSEv1 0  0 ", string(preAuthEncoding("", nil)))
	assert.Equal(t, "DSSEv1 1 t 3 ಠ", string(preAuthEncoding("t", []byte("ಠ"))), "lengths are in bytes")
}

func TestVerify(t *testing.T) {
	data := []byte("id: x\n")
	signers, err := trusting(1, 2).verify(data, sealed(data, 1, 2, 3).bytes(t))
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{idOf(1): true, idOf(2): true}, signers, "the key that is not trusted does not count")

	signers, err = trusting(1).verify(data, sealed(data, 1, 1, 1).bytes(t))
	require.NoError(t, err)
	assert.Len(t, signers, 1, "a key counts once")

	hinted := sealed(data, 1)
	hinted.Signatures[0].KeyID = "whatever"
	signers, err = trusting(1).verify(data, hinted.bytes(t))
	require.NoError(t, err)
	assert.Len(t, signers, 1, "the id is a hint")

	url := sealed(data, 1)
	raw, _ := base64.StdEncoding.DecodeString(url.Signatures[0].Sig)
	url.Signatures[0].Sig = base64.URLEncoding.EncodeToString(raw)
	signers, err = trusting(1).verify(data, url.bytes(t))
	require.NoError(t, err)
	assert.Len(t, signers, 1, "both alphabets of base64")

	signers, err = trusting(1).verify(data, nil)
	assert.NoError(t, err)
	assert.Empty(t, signers, "no signature")

	signers, err = trust{}.verify(data, sealed(data, 1).bytes(t))
	assert.NoError(t, err)
	assert.Empty(t, signers, "no trusted key: nothing can be said")
}

func TestVerifyRefuses(t *testing.T) {
	data := []byte("id: x\n")
	good := sealed(data, 1)
	altered := func(change func(*envelope)) []byte {
		e := sealed(data, 1)
		change(&e)
		return e.bytes(t)
	}
	for name, tt := range map[string]struct {
		signature []byte
		want      string
	}{
		"empty file":         {[]byte{}, "it is no DSSE envelope"},
		"no JSON":            {[]byte("x"), "it is no DSSE envelope"},
		"duplicate member":   {[]byte(strings.Replace(string(good.bytes(t)), `{"payloadType"`, `{"payload":"","payloadType"`, 1)), "it is no DSSE envelope"},
		"wrong type":         {[]byte(`{"payloadType": 1}`), "it is no DSSE envelope"},
		"too large":          {bytes.Repeat([]byte(" "), maxSignatureBytes+1), "it is no DSSE envelope"},
		"other payload type": {altered(func(e *envelope) { e.PayloadType = "application/json" }), "its payload is of type"},
		"other bytes":        {sealed([]byte("id: y\n"), 1).bytes(t), "it signs other bytes"},
		"trailing bytes":     {sealed([]byte("id: x\n\n"), 1).bytes(t), "it signs other bytes"},
		"no base64":          {altered(func(e *envelope) { e.Payload = "%" }), "its payload is not base64"},
		"no signatures":      {altered(func(e *envelope) { e.Signatures = nil }), "it has 0 signatures"},
		"too many": {altered(func(e *envelope) {
			for range maxSignatures {
				e.Signatures = append(e.Signatures, e.Signatures[0])
			}
		}), "it has 65 signatures"},
		"short signature":  {altered(func(e *envelope) { e.Signatures[0].Sig = "AAAA" }), "signature 1 is no Ed25519 signature"},
		"forged for a key": {altered(func(e *envelope) { e.Signatures[0].Sig = sealed(data, 3).Signatures[0].Sig }), "signature 1 is not by the key"},
		"forged beside a valid": {altered(func(e *envelope) {
			e.Signatures = append(e.Signatures, envelopeSignature{idOf(2), e.Signatures[0].Sig})
		}), "signature 2 is not by the key"},
		"by nobody trusted": {sealed(data, 3).bytes(t), "no signature is by a trusted key"},
		"signature of raw bytes": {altered(func(e *envelope) {
			_, p := key(1)
			e.Signatures[0].Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(p, data))
		}), "signature 1 is not by the key"},
	} {
		t.Run(name, func(t *testing.T) {
			signers, err := trusting(1, 2).verify(data, tt.signature)
			require.ErrorContains(t, err, tt.want)
			assert.Empty(t, signers)
		})
	}
}

// A keyring whose entries are not what they say denies, whatever they are.
func TestVerifySurvivesABadKeyring(t *testing.T) {
	data := []byte("id: x\n")
	public, _ := key(1)
	for _, ring := range []map[string]ed25519.PublicKey{
		{keyID(nil): nil}, {idOf(1): public[:5]}, {idOf(2): public},
	} {
		signers, err := trust{keys: ring}.verify(data, sealed(data, 1).bytes(t))
		assert.Error(t, err)
		assert.Empty(t, signers)
	}
}

func signedGrant(t *testing.T, keys ...byte) Document {
	d := file(t, "full.yaml")
	d.Signature = sealed(d.Data, keys...).bytes(t)
	return d
}

// signedMatrix lists, for the body, the keys with their times, and is itself
// signed by key 9.
func signedMatrix(t *testing.T, quorum, keys string) Document {
	d := file(t, "matrix.yaml")
	lines := strings.Split(string(d.Data), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "    keys:") {
			lines[i] = keys
		}
		if strings.HasPrefix(line, "    quorum:") {
			lines[i] = "    quorum: " + quorum
		}
	}
	d.Data = []byte(strings.Join(lines, "\n"))
	d.Signature = sealed(d.Data, 9).bytes(t)
	return d
}

func TestBodiesSignWithTheirOwnKeys(t *testing.T) {
	// The grant is of 2026-10-01T09:30:00Z.
	keys := "    keys:\n" +
		"      - {id: " + idOf(1) + ", from: 2026-10-01T09:30:00Z, until: 2027-01-01T00:00:00Z}\n" +
		"      - {id: " + idOf(2) + ", from: 2026-01-01T00:00:00Z}\n" +
		"      - {id: " + idOf(3) + ", from: 2026-10-01T09:30:01Z}\n" +
		"      - {id: " + idOf(4) + ", from: 2026-01-01T00:00:00Z, until: 2026-10-01T09:30:00Z}"
	for name, tt := range map[string]struct {
		quorum  string
		keys    []byte
		signers int
		signed  bool
	}{
		"one of one":             {"1", []byte{1}, 1, true},
		"two of two":             {"2", []byte{1, 2}, 2, true},
		"one of two":             {"2", []byte{1}, 1, false},
		"one key twice":          {"2", []byte{1, 1}, 1, false},
		"not yet valid":          {"1", []byte{3}, 0, false},
		"no longer valid":        {"1", []byte{4}, 0, false},
		"trusted, of no body":    {"1", []byte{9}, 0, false},
		"one of two and a wrong": {"2", []byte{1, 9}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			docs := []Document{signedGrant(t, tt.keys...), signedMatrix(t, tt.quorum, keys)}
			policy, errs := readDocuments(docs, trusting(1, 2, 3, 4, 9))
			require.Empty(t, errs)
			require.Len(t, policy.Grants, 1)
			assert.Equal(t, tt.signers, policy.Grants[0].Signers)
			assert.Equal(t, tt.signed, policy.Grants[0].Signed)
		})
	}
}

func TestWithoutAMatrixOneTrustedKeySigns(t *testing.T) {
	policy, errs := readDocuments([]Document{signedGrant(t, 1)}, trusting(1, 2))
	require.Empty(t, errs)
	assert.True(t, policy.Grants[0].Signed)
	policy, errs = readDocuments([]Document{file(t, "full.yaml")}, trusting(1))
	require.Empty(t, errs, "unsigned is a standing, no error")
	assert.False(t, policy.Grants[0].Signed)
}

const priceList = "apiVersion: ambit/v1\nkind: PriceList\nid: eu\ncurrency: EUR\nprices: {s: 1}\n"

func TestWhatWidensMustBeSigned(t *testing.T) {
	reaffirmation := "apiVersion: ambit/v1\nkind: Reaffirmation\nauthorization: support-bot\nby: [{id: a}]\nat: 2026-12-01T00:00:00Z\n"
	for name, text := range map[string]string{"the PriceList": priceList, "the Reaffirmation": reaffirmation, "the AuthorityMatrix": string(file(t, "matrix.yaml").Data)} {
		t.Run(name, func(t *testing.T) {
			read := func(ring trust, signature []byte) string {
				docs := []Document{{Name: "x.yaml", Data: []byte(text), Signature: signature}}
				if name == "the Reaffirmation" {
					docs = append(docs, file(t, "smallest.yaml"))
				}
				policy, errs := readDocuments(docs, ring)
				kept := len(policy.PriceLists) + len(policy.Reaffirmations)
				if policy.Matrix != nil {
					kept++
				}
				if len(errs) == 0 {
					assert.Equal(t, 1, kept)
					return ""
				}
				assert.Zero(t, kept)
				require.Len(t, errs, 1)
				return errs[0].Message
			}
			unsigned := trusting(1)
			unsigned.allowUnsigned = true
			assert.Equal(t, name+" is not signed", read(trusting(1), nil))
			assert.Equal(t, name+" is signed, and the host trusts no key", read(trust{}, sealed([]byte(text), 1).bytes(t)))
			assert.Equal(t, "x.yaml.dsse.json is not a valid signature: no signature is by a trusted key", read(trusting(1), sealed([]byte(text), 2).bytes(t)))
			assert.Contains(t, read(unsigned, sealed([]byte("x"), 1).bytes(t)), "it signs other bytes", "allowing unsigned documents allows no invalid signature")
			assert.Empty(t, read(trusting(1), sealed([]byte(text), 1).bytes(t)))
			assert.Empty(t, read(unsigned, nil))
		})
	}
}

func TestUnsignedHaltsApply(t *testing.T) {
	for name, signature := range map[string][]byte{"none": nil, "invalid": []byte("x")} {
		t.Run(name, func(t *testing.T) {
			policy, errs := readDocuments([]Document{{Name: "s.yaml", Data: []byte(suspension), Signature: signature}}, trusting(1))
			assert.Len(t, policy.Halts, 1)
			assert.Equal(t, signature != nil, len(errs) == 1, "an invalid signature is reported all the same")
		})
	}
}

// A key that may sign a price list must not move the review of a grant.
func TestABodyReaffirmsItsOwnGrants(t *testing.T) {
	keys := "    keys: [{id: " + idOf(1) + ", from: 2026-01-01T00:00:00Z}]"
	text := "apiVersion: ambit/v1\nkind: Reaffirmation\nauthorization: payments-autoscaler\nby: [{id: a@bank.example}]\nat: 2026-12-01T00:00:00Z\n"
	due := func(by byte) time.Time {
		docs := []Document{
			signedGrant(t, 1), signedMatrix(t, "1", keys),
			{Name: "r.yaml", Data: []byte(text), Signature: sealed([]byte(text), by).bytes(t)},
		}
		s, errs := load(docs, Manifest{}, options{trust: trusting(1, 2, 9)}, &Set{counts: new(shadowCounts)})
		require.Empty(t, errs)
		return s.policy.Grants[0].refAt(instant(t, "2026-12-02T00:00:00Z")).NextReview
	}
	cycle := 90 * 24 * time.Hour
	assert.Equal(t, instant(t, "2026-12-01T00:00:00Z").Add(cycle), due(1))
	assert.Equal(t, instant(t, "2026-10-01T09:30:00Z").Add(cycle), due(2), "a trusted key of another body changes nothing")
}
