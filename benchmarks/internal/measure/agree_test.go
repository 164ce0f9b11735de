package measure

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// say is an implementation that answers with these words, and allows a part of
// what it is asked.
func say(name string, every int, answers ...string) Impl {
	return Impl{
		Name:   name,
		Answer: func(i int) string { return answers[i] },
		Run:    func(n int) int { return n / every },
	}
}

func TestAgree(t *testing.T) {
	inputs := []Input{{Name: "plain"}, {Name: "odd", Needs: "care"}}
	careless := say("careless", 1, "allow", "allow")
	careless.Lacks = map[string]string{"care": "it has none"}
	lost := say("lossy", 1, "allow", "deny")
	lost.After = func() error { return errors.New("something was lost") }
	for _, tt := range []struct {
		name  string
		other Impl
		want  string
	}{
		{"equal", say("other", 1, "allow", "deny"), ""},
		{"excused", careless, ""},
		{"another answer", say("other", 1, "deny", "deny"), `case c, input "plain": first says "allow", other says "deny"`},
		{"another answer to what is odd", say("other", 1, "allow", "allow"), `case c, input "odd": first says "deny", other says "allow"`},
		{"other work while timed", say("other", 2, "allow", "deny"), `first says "64 of 64 allowed", other says "32 of 64 allowed"`},
		{"something lost", lost, "case c, lossy: something was lost"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Agree(Case{Name: "c", Inputs: inputs, Impls: []Impl{say("first", 1, "allow", "deny"), tt.other}})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestASlowCaseIsNotRunToCompare(t *testing.T) {
	impl := say("slow", 1, "allow")
	impl.Run = func(int) int { panic("an operation takes minutes") }
	require.NoError(t, Agree(Case{Inputs: []Input{{}}, Impls: []Impl{impl}, Slow: true}))
}

func TestStale(t *testing.T) {
	excused := say("excused", 1, "allow", "allow")
	excused.Lacks = map[string]string{"care": "it has none"}
	c := Case{Inputs: []Input{{Name: "plain"}, {Name: "odd", Needs: "care"}}}
	c.Impls = []Impl{say("first", 1, "allow", "deny"), excused}
	require.NoError(t, Stale(c))
	c.Impls[0] = say("first", 1, "allow", "allow")
	assert.ErrorContains(t, Stale(c), `excused is excused from "care" and needs no excuse`)
}
