package authority

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

func file(t *testing.T, name string) Document {
	data, err := os.ReadFile("testdata/documents/" + name)
	require.NoError(t, err)
	return Document{Name: name, Data: data}
}

func readAll(t *testing.T, docs ...Document) documents {
	policy, errs := readDocuments(docs, trust{allowUnsigned: true})
	require.Empty(t, errs)
	return policy
}

func instant(t *testing.T, s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return at.UTC()
}

func TestSmallestDocumentHasSafeDefaults(t *testing.T) {
	g := readAll(t, file(t, "smallest.yaml")).Grants[0]
	assert.Equal(t, 1, g.Version)
	assert.False(t, g.Critical)
	assert.Equal(t, 90*24*time.Hour, g.Every)
	assert.Equal(t, lapsedDenies, g.Lapsed)
	assert.True(t, g.ObserveUntil.IsZero())
	assert.Equal(t, []string{"group:support-leads"}, values(g.Approval.By))
	assert.Equal(t, 1, g.Approval.Quorum)
	assert.Equal(t, 30*time.Minute, g.Approval.TTL)
	assert.Equal(t, 48*time.Hour, g.Review.Within)
	require.Len(t, g.Classes, 2)
	read, refund := g.Classes[0], g.Classes[1]
	assert.True(t, read.Read)
	assert.Nil(t, read.Rationale, "the default by tier")
	assert.Equal(t, []string{"orders.get", "orders.list"}, []string{read.Tools[0].Pattern.String(), read.Tools[1].Pattern.String()})
	assert.False(t, refund.Read)
	assert.Equal(t, "args.amount", refund.Spend.Amount.Value)
	assert.Equal(t, "500.00", refund.Spend.PerEvent[classify.AuthorizationRequired].String())
	assert.Equal(t, recordPolicy{}, refund.Record)
	assert.False(t, g.Signed)
	assert.Regexp(t, `^sha256:[0-9a-f]{64}$`, g.Digest)
}

func TestApproversAreTheGrantersByDefault(t *testing.T) {
	d := file(t, "smallest.yaml")
	d.Data = []byte(strings.Replace(string(d.Data), "approval: {by: [group:support-leads]}\n", "", 1))
	g := readAll(t, d).Grants[0]
	assert.Equal(t, []string{"lee@example.com"}, values(g.Approval.By))
}

func TestFullDocument(t *testing.T) {
	policy := readAll(t, file(t, "full.yaml"), file(t, "matrix.yaml"))
	g := policy.Grants[0]
	assert.Equal(t, 4, g.Version)
	assert.Equal(t, "m.okafor@bank.example", g.Owner.ID)
	assert.Equal(t, "Head of Payments SRE", g.Owner.Role)
	assert.Equal(t, []modelPin{{"anthropic", "claude-sonnet-4-5", "20250929"}}, g.Pins.Models)
	assert.Equal(t, classify.ToolID{Name: "k8s.scale_deployment"}, g.Pins.Tools[0].Tool)
	assert.Equal(t, "cloud-cab", g.Grant.Body.Value)
	assert.Equal(t, "compliance@bank.example", g.Grant.Consulted[0].ID)
	assert.Equal(t, instant(t, "2026-10-01T09:30:00Z"), g.Grant.At, "any zone, kept as UTC")
	assert.Equal(t, lapsedRecommends, g.Lapsed)
	assert.Equal(t, instant(t, "2026-11-01T00:00:00Z"), g.ObserveUntil)
	assert.Equal(t, 2, g.Approval.Quorum)
	assert.Equal(t, 45*time.Minute, g.Approval.TTL)
	assert.Equal(t, 36*time.Hour, g.Review.Within)

	c := g.Classes[0]
	assert.Equal(t, "args.kind == 'Deployment'", c.When.Value)
	assert.Equal(t, []string{"args.region", "args.workload"}, []string{c.Allow[0].Path.Value, c.Allow[1].Path.Value}, "sorted by path")
	var members []any
	for _, v := range c.Allow[0].Values {
		switch v.Value.Kind() {
		case strictjson.Int:
			members = append(members, v.Value.Int())
		case strictjson.Bool:
			members = append(members, v.Value.Bool())
		default:
			members = append(members, v.Value.Str())
		}
	}
	assert.Equal(t, []any{"eu-west-1", "eu-central-1", "no", "7", int64(7), true}, members, "what the author wrote")
	assert.Equal(t, "at most double per step", c.Bounds[1].Why)
	assert.Equal(t, escalateRule{When: c.Escalate[1].When, To: classify.AuthorizationRequired, Code: "change_freeze"}, c.Escalate[1])
	assert.Equal(t, 24*time.Hour, c.Spend.Horizon)
	assert.Equal(t, time.Hour, c.Spend.Per, "the default with a horizon")
	assert.Equal(t, "0.1904", c.Spend.Prices["m7g.xlarge"].String())
	assert.Equal(t, "CC-4471", c.Spend.CostCentre)
	assert.Equal(t, []rationale.Field{rationale.Purpose, rationale.Expected, rationale.Alternatives}, c.Rationale)
	assert.Equal(t, keepTelemetry, c.Record.Facts)
	assert.Equal(t, []string{"DORA-RTS-2024/1774:17.1", "SOX-ITGC:CM-02"}, c.Controls)
}

func TestMatrixDocument(t *testing.T) {
	m := readAll(t, file(t, "matrix.yaml")).Matrix
	assert.Equal(t, 2, m.Version)
	body := m.body("cloud-cab")
	require.NotNil(t, body)
	assert.Nil(t, m.body("other"))
	assert.Equal(t, 180*24*time.Hour, body.Term)
	assert.Equal(t, instant(t, "2027-01-01T00:00:00Z"), body.Keys[0].Until)
	assert.Equal(t, []string{"scaling", "patching"}, body.Domains)
	assert.Equal(t, "managers", m.Approvers[0].Group)
	assert.Equal(t, "vp@bank.example", m.Approvers[1].Person)
	assert.Equal(t, map[string]localUser{
		"alice":  {ID: "alice", Groups: []string{"managers"}},
		"okafor": {ID: "m.okafor@bank.example", Groups: []string{"managers", "finance"}},
	}, m.LocalUsers)
	assert.Equal(t, []string{"group:finance"}, m.SettledBy)
	assert.Equal(t, []string{"group:cab", "m.okafor@bank.example"}, m.ResumedBy)
	b := m.Baselines[0]
	assert.True(t, b.Allow[0].Baseline)
	assert.True(t, b.Bounds[0].Baseline)
	assert.Equal(t, "data residency, policy DR-7", b.Allow[0].Why)
	assert.Equal(t, "data residency, policy DR-7", b.Bounds[0].Why, "a bound without its own reason has the baseline's")
}

func TestDomainsOfTools(t *testing.T) {
	m := readAll(t, file(t, "matrix.yaml")).Matrix
	assert.Equal(t, []string{"scaling"}, m.domainsOf(classify.ToolID{Name: "k8s.scale_deployment"}))
	assert.Empty(t, m.domainsOf(classify.ToolID{Name: "k8s.delete"}))
	assert.Empty(t, m.domainsOf(classify.ToolID{Server: "other", Name: "asg.resize"}), "a server's tool is another tool")
	for pattern, want := range map[string][]string{
		"k8s.*": {"scaling"}, "k8s.scale_x": {"scaling"}, "vpc.*": {"network"}, "vpc.create_*": {"network"}, "x.*": nil,
	} {
		p, err := classify.ParsePattern(pattern)
		require.NoError(t, err)
		assert.Equal(t, want, m.overlapping(p), pattern)
	}
}

func TestRationaleOfNothing(t *testing.T) {
	d := file(t, "smallest.yaml")
	d.Data = append(d.Data, "    rationale: []\n"...)
	fields := readAll(t, d).Grants[0].Classes[1].Rationale
	assert.NotNil(t, fields)
	assert.Empty(t, fields)
}

func TestSpendForms(t *testing.T) {
	text := string(file(t, "smallest.yaml").Data)
	for estimate, check := range map[string]func(*spendRule){
		"estimate: {estimator: fare}": func(s *spendRule) { assert.Equal(t, "fare", s.Estimator.Value) },
		`estimate: {quantity: "args.bags", price: "50.00"}`: func(s *spendRule) {
			assert.Equal(t, "50.00", s.Price.String())
			assert.Equal(t, "args.bags", s.Quantity.Value)
			assert.Zero(t, s.Per)
		},
		`estimate: {quantity: "2", unit: args.size, prices: PriceList/eu, horizon: 30d}`: func(s *spendRule) {
			assert.Equal(t, "eu", s.PriceList.Value)
			assert.Equal(t, 30*24*time.Hour, s.Horizon)
			assert.Zero(t, s.Per, "the list's own")
		},
	} {
		doc := Document{Name: "a.yaml", Data: []byte(strings.Replace(text, "amount: args.amount", estimate, 1))}
		list := Document{Name: "p.yaml", Data: []byte("apiVersion: ambit/v1\nkind: PriceList\nid: eu\ncurrency: EUR\nper: 1h\nprices: {s: 1}\n")}
		check(readAll(t, doc, list).Grants[0].Classes[1].Spend)
	}
}

const suspension = "apiVersion: ambit/v1\nkind: Suspension\nagent: support-bot\nby: [{id: lee@example.com}]\nat: 2026-12-01T00:00:00Z\nreason: incident\n"

func TestHaltsApplyWhateverIsWrong(t *testing.T) {
	for name, text := range map[string]string{
		"unknown key":   suspension + "ticket: 7\n",
		"no reason":     strings.Replace(suspension, "reason: incident\n", "", 1),
		"bad date":      strings.Replace(suspension, "2026-12-01T00:00:00Z", "tomorrow", 1),
		"bad end":       suspension + "until: 2020-01-01T00:00:00Z\n",
		"duplicate key": suspension + "reason: other\n",
	} {
		t.Run(name, func(t *testing.T) {
			policy, errs := readDocuments([]Document{{Name: "s.yaml", Data: []byte(text)}}, trust{allowUnsigned: true})
			assert.NotEmpty(t, errs)
			require.Len(t, policy.Halts, 1)
			assert.True(t, policy.Halts[0].concerns(&grantDoc{Agent: agentText("support-bot")}))
			assert.True(t, policy.Halts[0].binds(instant(t, "2026-12-02T00:00:00Z")))
		})
	}
}

func agentText(id string) text { return text{Value: id} }

// Without the matrix nothing limits a grant, so where one is there and cannot
// be read no grant is right.
func TestNoGrantWithoutItsMatrix(t *testing.T) {
	grant, matrix := file(t, "full.yaml"), string(file(t, "matrix.yaml").Data)
	for name, tt := range map[string]struct {
		text   string
		grants int
	}{
		"syntax error":                       {strings.Replace(matrix, "version: 2", "version: [2", 1), 0},
		"wrong value":                        {strings.Replace(matrix, "version: 2", "version: 0", 1), 0},
		"misspelled kind":                    {strings.Replace(matrix, "AuthorityMatrix", "AuthorityMatrx", 1), 0},
		"nothing can be read":                {"\x00", 0},
		"another document that is no matrix": {"kind: PriceList\nid: [\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			policy, errs := readDocuments([]Document{grant, {Name: "m.yaml", Data: []byte(tt.text)}}, trust{allowUnsigned: true})
			assert.NotEmpty(t, errs)
			assert.Nil(t, policy.Matrix)
			assert.Len(t, policy.Grants, tt.grants)
		})
	}
}

// Which of two matrices limits a grant would be a guess.
func TestNoGrantUnderTwoMatrices(t *testing.T) {
	matrix := file(t, "matrix.yaml")
	policy, errs := readDocuments([]Document{file(t, "full.yaml"), matrix, {Name: "n.yaml", Data: matrix.Data}}, trust{allowUnsigned: true})
	assert.Len(t, errs, 1)
	assert.Nil(t, policy.Matrix)
	assert.Empty(t, policy.Grants)
}

func TestTwoVersionsWithOneNumberAreBothLeftOut(t *testing.T) {
	doc := file(t, "smallest.yaml")
	policy, errs := readDocuments([]Document{doc, {Name: "b.yaml", Data: doc.Data}}, trust{allowUnsigned: true})
	assert.Len(t, errs, 1)
	assert.Empty(t, policy.Grants)
}

func TestManifestInTheFolderIsSkipped(t *testing.T) {
	policy := readAll(t, file(t, "smallest.yaml"), Document{Name: "manifest.yaml", Data: []byte("apiVersion: ambit/v1\nkind: Manifest\nwhatever: 1\n")})
	assert.Len(t, policy.Grants, 1)
}

func TestErrorsOfOneFileAreCapped(t *testing.T) {
	text := "apiVersion: ambit/v1\nkind: PriceList\nid: x\ncurrency: EUR\nprices:\n"
	for i := range 500 {
		text += "  u" + strings.Repeat("x", i) + ": bad\n"
	}
	_, errs := readDocuments([]Document{{Name: "p.yaml", Data: []byte(text)}}, trust{allowUnsigned: true})
	require.Len(t, errs, maxErrors)
	assert.Equal(t, "and 400 more errors in this file", errs[maxErrors-1].Hint)
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * day, "1h30m": 90 * time.Minute, "1d12h": 36 * time.Hour, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond,
		"106751d": 106751 * day,
	} {
		got, ok := parseDuration(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "d", "90", "-1h", "+1h", "1h1d", "1.5d", "1w", " 1h", "1H", ".5h", "106752d", "106751d24h", "9999999999h"} {
		_, ok := parseDuration(text)
		assert.False(t, ok, text)
	}
	for d, want := range map[time.Duration]string{90 * day: "90d", 36 * time.Hour: "1d12h0m0s", time.Minute: "1m0s"} {
		assert.Equal(t, want, days(d))
		back, ok := parseDuration(days(d))
		assert.True(t, ok)
		assert.Equal(t, d, back)
	}
}

func TestCurrencies(t *testing.T) {
	for _, code := range []string{"EUR", "USD", "JPY", "ZWG", "AED"} {
		assert.True(t, isCurrency(code), code)
	}
	for _, code := range []string{"", "EU", "eur", "XXX", "XTS", "EUX", "R U", "EURO", "ED "} {
		assert.False(t, isCurrency(code), code)
	}
}
