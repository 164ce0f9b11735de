package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// Hosts of several agents can have several matrices. Whom one of them knows can
// suspend, and may do otherwise what each of them says.
func TestSeveralMatrices(t *testing.T) {
	matrix := func(users string) host {
		text := standing(strings.Replace(refundMatrix, "USERS", users, 1), me(t))
		return host{policy: policy{docs: []authority.Document{{Name: "matrix.yaml", Data: []byte(text)}}}}
	}
	kim := func(groups ...string) rationale.Person {
		return rationale.Person{ID: "kim@example.com", Groups: groups}
	}
	lead, auditor := matrix("kim: {id: kim@example.com, groups: [support-leads, finance]}"), matrix("kim: {id: KIM@example.com, groups: [internal-audit, finance]}")
	other, renamed := matrix("lee: {id: lee@example.com, groups: [finance]}"), matrix("kim: {id: kim@corp.example, groups: [finance]}")
	for name, c := range map[string]struct {
		hosts  []host
		want   authority.User
		agreed bool
	}{
		"one":                   {[]host{lead}, authority.User{Person: kim("support-leads", "finance"), Settles: true, Resumes: true}, true},
		"one, twice":            {[]host{lead, lead}, authority.User{Person: kim("support-leads", "finance"), Settles: true, Resumes: true}, true},
		"two":                   {[]host{lead, auditor}, authority.User{Person: kim("finance"), Settles: true}, false},
		"one who is not known":  {[]host{other, lead}, authority.User{Person: kim()}, false},
		"another order of them": {[]host{lead, other}, authority.User{Person: kim()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			u, agreed, err := byAll(recordedMatrices(c.hosts), "kim")
			require.NoError(t, err)
			assert.Equal(t, c.agreed, agreed)
			assert.ElementsMatch(t, c.want.Groups, u.Groups)
			u.Groups, c.want.Groups = nil, nil
			assert.Equal(t, c.want, u)
		})
	}
	_, _, err := byAll(recordedMatrices([]host{other}), "kim")
	assert.ErrorContains(t, err, "users.local.kim")
	_, _, err = byAll(recordedMatrices([]host{lead, renamed}), "kim")
	assert.ErrorContains(t, err, "kim@example.com in one and kim@corp.example in another")
}
