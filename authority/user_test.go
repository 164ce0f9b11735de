package authority_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

func users(t *testing.T, matrix string) *authority.Set {
	t.Helper()
	set, err := authority.Load([]authority.Document{{Name: "matrix.yaml", Data: []byte(`apiVersion: ambit/v1
kind: AuthorityMatrix
bodies: [{id: cab, may_grant: {domains: [scaling]}}]
` + matrix)}}, authority.Manifest{}, authority.AllowUnsigned())
	require.NoError(t, err)
	return set
}

func TestLocalUser(t *testing.T) {
	set := users(t, `
users: {local: {alice: [managers], dana: {id: dana@example.com, groups: [finance]}}}
settlement: {by: [group:finance]}
resumption: {by: [alice]}
audit: {by: [group:finance]}
`)
	alice, err := set.LocalUser("alice")
	require.NoError(t, err)
	assert.Equal(t, authority.User{Person: rationale.Person{ID: "alice", Groups: []string{"managers"}}, Resumes: true}, alice)
	dana, err := set.LocalUser("dana")
	require.NoError(t, err)
	assert.Equal(t, authority.User{Person: rationale.Person{ID: "dana@example.com", Groups: []string{"finance"}}, Settles: true, Audits: true}, dana)
	for _, name := range []string{"root", "Alice", "", "dana@example.com"} {
		_, err := set.LocalUser(name)
		assert.ErrorContains(t, err, "matrix.yaml has no entry users.local."+name+":")
	}

	none := users(t, "")
	_, err = none.LocalUser("alice")
	assert.ErrorContains(t, err, "has no entry users.local.alice")
	assert.True(t, none.HasMatrix())
	_, err = new(authority.Set).LocalUser("alice")
	assert.ErrorContains(t, err, "no authority matrix says who the OS user alice is")
	_, err = (*authority.Set)(nil).LocalUser("alice")
	assert.ErrorContains(t, err, "no authority matrix")
}

// Without the keys nobody settles and nobody resumes.
func TestNobodySettlesByDefault(t *testing.T) {
	alice, err := users(t, "users: {local: {alice: [managers, finance]}}").LocalUser("alice")
	require.NoError(t, err)
	assert.False(t, alice.Settles || alice.Resumes || alice.Audits)
}

// Who documents name by an address is not recognized by a bare name.
func TestVetOfUsersWhoAreNobody(t *testing.T) {
	docs := []authority.Document{
		{Name: "a.yaml", Data: []byte(`apiVersion: ambit/v1
kind: Authorization
id: a
owner: {id: dana@example.com}
agent: {id: bot, environments: [prod]}
grant: {body: cab, by: [{id: lee@example.com}], at: 2026-11-01T00:00:00Z, expires: 2027-02-01T00:00:00Z}
classes: [{id: read, domain: scaling, tools: [get], tier: parameterized, effect: read}]
`)},
		{Name: "matrix.yaml", Data: []byte(`apiVersion: ambit/v1
kind: AuthorityMatrix
bodies: [{id: cab, may_grant: {domains: [scaling]}}]
users: {local: {dana: [managers], sam: {id: sam@example.com, groups: [managers]}}}
`)},
	}
	set, err := authority.Load(docs, authority.Manifest{}, authority.AllowUnsigned())
	require.NoError(t, err)
	var found []string
	for _, f := range set.Vet(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)) {
		if f.Error.File == "matrix.yaml" {
			found = append(found, f.Error.Message)
			assert.False(t, f.Fails)
		}
	}
	require.Len(t, found, 1)
	assert.Contains(t, found[0], "users.local.dana has no id")
}
