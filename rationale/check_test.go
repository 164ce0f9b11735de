package rationale_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

func TestRequired(t *testing.T) {
	for tier, want := range map[classify.Tier][]rationale.Field{
		classify.Parameterized:         {"purpose"},
		classify.BoundedEscalation:     {"purpose", "expected", "alternatives", "fallback"},
		classify.AuthorizationRequired: {"purpose", "expected", "alternatives", "fallback", "evidence"},
		classify.Prohibited:            {"purpose", "expected", "alternatives", "fallback", "evidence"},
		classify.TierUnknown:           {"purpose", "expected", "alternatives", "fallback", "evidence"},
	} {
		assert.Equal(t, want, rationale.Required(tier), tier)
	}
}

func TestCheckFindsEachMissingField(t *testing.T) {
	full := func() *rationale.Rationale { return fullDecision().Rationale }
	read := func(id string) bool { return id == "call-0" }
	complete := full().Check(rationale.Fields(), "", read)
	assert.Equal(t, rationale.RationaleCheck{
		Required: rationale.Fields(), Found: []string{"call-0"}, Complete: true,
	}, complete)
	for field, clear := range map[rationale.Field]func(r *rationale.Rationale){
		rationale.Purpose:      func(r *rationale.Rationale) { r.Purpose = "" },
		rationale.Expected:     func(r *rationale.Rationale) { r.Expected = " \t\n" },
		rationale.Alternatives: func(r *rationale.Rationale) { r.Alternatives = nil },
		rationale.Evidence:     func(r *rationale.Rationale) { r.Evidence = nil },
		rationale.Fallback:     func(r *rationale.Rationale) { r.Fallback = "\u200b\u3164\u2060\u00ad" },
		rationale.Uncertainty:  func(r *rationale.Rationale) { r.Uncertainty = "-…\u202e!" },
	} {
		t.Run(string(field), func(t *testing.T) {
			r := full()
			clear(r)
			c := r.Check(rationale.Fields(), "", read)
			assert.Equal(t, []rationale.Field{field}, c.Missing)
			assert.False(t, c.Complete)
		})
	}
}

func TestCheck(t *testing.T) {
	purpose := []rationale.Field{rationale.Purpose}
	evidence := []rationale.Field{rationale.Evidence}
	all := func(string) bool { return true }
	none := func(string) bool { return false }
	for _, c := range []struct {
		name      string
		r         *rationale.Rationale
		required  []rationale.Field
		malformed string
		read      func(string) bool
		want      rationale.RationaleCheck
	}{
		{"nothing given, nothing required", nil, nil, "", all, rationale.RationaleCheck{Complete: true}},
		{"malformed, nothing required", nil, []rationale.Field{}, "bad", all, rationale.RationaleCheck{Required: []rationale.Field{}, Malformed: "bad", Complete: true}},
		{"nothing given", nil, purpose, "", all, rationale.RationaleCheck{Required: purpose, Missing: purpose}},
		{"malformed", nil, purpose, "bad", all, rationale.RationaleCheck{Required: purpose, Missing: purpose, Malformed: "bad"}},
		{"malformed but read", &rationale.Rationale{Purpose: "p"}, purpose, "bad", all, rationale.RationaleCheck{Required: purpose, Malformed: "bad"}},
		{"a digit says something", &rationale.Rationale{Purpose: "7"}, purpose, "", nil, rationale.RationaleCheck{Required: purpose, Complete: true}},
		{"other scripts say something", &rationale.Rationale{Purpose: "拡張"}, purpose, "", nil, rationale.RationaleCheck{Required: purpose, Complete: true}},
		{"unknown field", &rationale.Rationale{Purpose: "p"}, []rationale.Field{"mood"}, "", all, rationale.RationaleCheck{Required: []rationale.Field{"mood"}, Missing: []rationale.Field{"mood"}}},
		{
			"alternative without a why", &rationale.Rationale{Alternatives: []rationale.Alternative{{Option: "o"}, {Rejected: "r"}, {Option: "o", Rejected: " "}}},
			[]rationale.Field{rationale.Alternatives},
			"", all,
			rationale.RationaleCheck{Required: []rationale.Field{rationale.Alternatives}, Missing: []rationale.Field{rationale.Alternatives}},
		},
		{"link", &rationale.Rationale{Evidence: []string{"https://x/1"}}, evidence, "", none, rationale.RationaleCheck{Required: evidence, Links: []string{"https://x/1"}, Complete: true}},
		{
			"no link after all", &rationale.Rationale{Evidence: []string{"https://", "javascript:alert(1)", "file:///etc/passwd"}}, evidence, "", none,
			rationale.RationaleCheck{Required: evidence, NotFound: []string{"https://", "javascript:alert(1)", "file:///etc/passwd"}, Missing: evidence},
		},
		{"read call", &rationale.Rationale{Evidence: []string{"c1"}}, evidence, "", all, rationale.RationaleCheck{Required: evidence, Found: []string{"c1"}, Complete: true}},
		{"call not read", &rationale.Rationale{Evidence: []string{"c1"}}, evidence, "", none, rationale.RationaleCheck{Required: evidence, NotFound: []string{"c1"}, Missing: evidence}},
		{"nothing was read", &rationale.Rationale{Evidence: []string{"c1"}}, evidence, "", nil, rationale.RationaleCheck{Required: evidence, NotFound: []string{"c1"}, Missing: evidence}},
		{"empty citation", &rationale.Rationale{Evidence: []string{""}}, evidence, "", all, rationale.RationaleCheck{Required: evidence, NotFound: []string{""}, Missing: evidence}},
		{
			"one of two not read", &rationale.Rationale{Evidence: []string{"c1", "c2"}}, evidence, "", func(id string) bool { return id == "c1" },
			rationale.RationaleCheck{Required: evidence, Found: []string{"c1"}, NotFound: []string{"c2"}, Missing: evidence},
		},
		{
			"made-up citation where none is required", &rationale.Rationale{Purpose: "p", Evidence: []string{"c1"}}, purpose, "", none,
			rationale.RationaleCheck{Required: purpose, NotFound: []string{"c1"}, Missing: evidence},
		},
		{
			"made-up citation where nothing is required", &rationale.Rationale{Evidence: []string{"c1"}}, nil, "", none,
			rationale.RationaleCheck{NotFound: []string{"c1"}, Complete: true},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, c.r.Check(c.required, c.malformed, c.read))
		})
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, café 拡張 🙂":   "plain text, café 拡張 🙂",
		"e\u0301":                 "e\u0301", // combining marks stay
		"two\nlines\r\n\t":        `two\nlines\r\n\t`,
		"\x1b[31mred\x1b[0m":      `\x1b[31mred\x1b[0m`,
		"\u009b31m":               `\u009b31m`,
		"a\u202eb\u2066c":         `a\u202eb\u2066c`,
		"\u200b\ufeff\u2060":      `\u200b\ufeff\u2060`,
		"line\u2028para\u2029":    `line\u2028para\u2029`,
		"no\u00a0break\u3000":     `no\u00a0break\u3000`,
		"\u3164\u115f\u2800":      `\u3164\u115f\u2800`,
		"\xff\xc0":                `\xff\xc0`,
		"\ufffd":                  "\ufffd",
		`C:\n`:                    `C:\\n`,
		"\x00\x7f":                `\x00\x7f`,
		"\U000e0041tag\U000f0000": `\U000e0041tag\U000f0000`,
		"variation\ufe0f":         `variation\ufe0f`,
	} {
		assert.Equal(t, want, rationale.Printable(in), "%q", in)
	}
}

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"a", "\x1b]0;x\a", "\u202e", `\n`, "\xff\n", "\ufffd"} {
		f.Add(seed, seed+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		pa, pb := rationale.Printable(a), rationale.Printable(b)
		if strings.ContainsAny(pa, "\n\r\x1b\u202e\u2028\u200b\x00") {
			t.Fatalf("not printable: %q", pa)
		}
		if (a == b) != (pa == pb) {
			t.Fatalf("%q and %q both print as %q", a, b, pa)
		}
	})
}

func TestClip(t *testing.T) {
	assert.Equal(t, "short", rationale.Clip("short", 5))
	got := rationale.Clip(strings.Repeat("é", 100), 65)
	assert.Equal(t, strings.Repeat("é", 23)+"…[cut: 200 bytes]", got)
	assert.LessOrEqual(t, len(got), 65)
	assert.Equal(t, "…[cut: 9 bytes]", rationale.Clip("long text", 3))
}
