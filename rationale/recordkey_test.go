package rationale_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/rationale"
)

func TestKeyedDigestIsTheOneThatIsDocumented(t *testing.T) {
	k := rationale.RecordKey{ID: "k-1", Secret: bytes.Repeat([]byte("key!"), 8)}
	mac := hmac.New(sha256.New, k.Secret)
	mac.Write([]byte("ambit/v1 record\x00\x00\x00\x00\x00\x00\x00\x00\x0dargs.customer"))
	mac.Write([]byte(`"c-7"`))
	assert.Equal(t, "hmac-sha256:k-1:"+hex.EncodeToString(mac.Sum(nil)), k.DigestText("args.customer", "c-7"))
	assert.Equal(t, k.DigestText("args.customer", "c-7"), k.Digest("args.customer", []byte(` "c\u002d7" `)))
	assert.Equal(t, k.Digest("arguments", []byte(`{"a":1,"b":100}`)), k.Digest("arguments", []byte(`{"b":1e2, "a":1.0}`)))
	different := map[string]bool{}
	for _, digest := range []string{
		k.Digest("a", []byte("bc")), k.Digest("ab", []byte("c")), k.Digest("a", []byte(`"bc"`)), k.Digest("b", []byte("bc")),
		rationale.RecordKey{ID: "k-1", Secret: bytes.Repeat([]byte("yek!"), 8)}.Digest("a", []byte("bc")),
		rationale.RecordKey{ID: "k-2", Secret: k.Secret}.Digest("a", []byte("bc")),
	} {
		assert.False(t, different[digest])
		different[digest] = true
	}
}

func TestRecordKeysThatHideNothingAreRefused(t *testing.T) {
	good := bytes.Repeat([]byte("key!"), 8)
	assert.NoError(t, rationale.RecordKey{ID: "2026-11.a_b", Secret: good}.Validate())
	for name, k := range map[string]rationale.RecordKey{
		"zero": {}, "no id": {Secret: good}, "no secret": {ID: "a"}, "short": {ID: "a", Secret: good[:31]},
		"zeros": {ID: "a", Secret: make([]byte, 32)}, "colon": {ID: "a:b", Secret: good}, "space": {ID: "a b", Secret: good},
		"long id": {ID: string(bytes.Repeat([]byte("a"), 65)), Secret: good},
	} {
		err := k.Validate()
		assert.Error(t, err, name)
		if err != nil {
			assert.NotContains(t, err.Error(), "key!")
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	secret := bytes.Repeat([]byte("key!"), 8)
	for _, k := range []any{rationale.RecordKey{ID: "k-1", Secret: secret}, rationale.SubjectKey{ID: "k-1", Secret: secret}} {
		text, err := json.Marshal(k)
		assert.NoError(t, err)
		for _, said := range []string{
			string(text), fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), fmt.Sprintf("%v", struct{ Key any }{k}), fmt.Sprintf("%q", k),
			fmt.Sprintf("%d", k), fmt.Sprintf("%x", k), fmt.Sprintf("%d", []any{k}),
		} {
			assert.NotContains(t, said, "key!")
			assert.NotContains(t, said, "107 101 121") // its bytes
			assert.NotContains(t, said, "a2V5")
			assert.Contains(t, said, "k-1")
		}
	}
}
