package joinkey_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/guard/joinkey"
	"github.com/ambit-go/ambit/rationale"
)

var (
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)                                             // AWS STS: RoleSessionName, SourceIdentity
	clientToken = regexp.MustCompile(`^[!-~]{1,64}$`)                                                  // AWS: ASCII
	product     = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+/[0-9A-Za-z-]+$")                    // RFC 9110
	annotation  = regexp.MustCompile(`^[a-z0-9.-]{1,253}/[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]$`) // Kubernetes
	tagKey      = regexp.MustCompile(`^[\w .:/=+@-]{1,128}$`)                                          // AWS session tags; and lower case, for Kubernetes
)

func newID() string { return rationale.NewID(time.Now()) }

func TestKeysFitTheSystemsThatGetThem(t *testing.T) {
	id := newID()
	assert.Regexp(t, sessionName, joinkey.SessionName(id))
	assert.Regexp(t, product, joinkey.UserAgent(id))
	assert.Regexp(t, annotation, joinkey.Annotation)
	assert.Regexp(t, tagKey, joinkey.Tag)
	assert.Equal(t, strings.ToLower(joinkey.Tag), joinkey.Tag)
	assert.Equal(t, map[string]string{joinkey.Annotation: id}, joinkey.Annotations(id))
	for _, step := range []string{"", "run", strings.Repeat("x", 1000), "\x00\n€"} {
		assert.Regexp(t, clientToken, joinkey.ClientToken(id, step))
	}
	assert.NotEqual(t, joinkey.ClientToken(id, "run"), joinkey.ClientToken(id, "tag"))
	assert.NotEqual(t, joinkey.ClientToken(id, "run"), joinkey.ClientToken(newID(), "run"))
	assert.Equal(t, joinkey.ClientToken(id, "run"), joinkey.ClientToken(id, "run"))
}

// Where nobody decided there is nothing to hand over, and no text takes a decision's
// place.
func TestNoKeyWithoutADecision(t *testing.T) {
	id := newID()
	for _, no := range []string{"", "x", id + "\n", id[:35], strings.ToUpper(id), "zz" + id[2:], strings.ReplaceAll(id, "-", "_"), id + " admin/1"} {
		assert.Empty(t, joinkey.SessionName(no), no)
		assert.Empty(t, joinkey.UserAgent(no), no)
		assert.Empty(t, joinkey.ClientToken(no, "run"), no)
		assert.Nil(t, joinkey.Annotations(no), no)
	}
}

func TestDecisionReadsWhatWasMade(t *testing.T) {
	id, other := newID(), newID()
	for _, value := range []string{
		id, joinkey.SessionName(id), joinkey.UserAgent(id), joinkey.ClientToken(id, "run"),
		"aws-sdk-go-v2/1.30 os/linux " + joinkey.UserAgent(id),
		joinkey.UserAgent(other) + " " + joinkey.UserAgent(id),
		"kubectl/v1 " + joinkey.UserAgent(id) + " (linux)",
	} {
		assert.Equal(t, id, joinkey.Decision(value), value)
	}
	for _, value := range []string{
		"", "ambit-", "x" + id, id + "x", "my-ambit-" + id, "notambit/" + id, "ambit-" + id + "-x", joinkey.UserAgent(id) + "x",
		"text " + id, joinkey.ClientToken(id, "run") + "0", joinkey.UserAgent(id) + "\nx",
	} {
		assert.Empty(t, joinkey.Decision(value), value)
	}
	rapid.Check(t, func(t *rapid.T) {
		if id := joinkey.Decision(rapid.String().Draw(t, "value")); id != "" { // whatever an event holds
			assert.NotEmpty(t, joinkey.SessionName(id))
		}
		step := rapid.String().Draw(t, "step")
		assert.Equal(t, id, joinkey.Decision(joinkey.ClientToken(id, step)))
	})
}
