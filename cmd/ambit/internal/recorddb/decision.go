package recorddb

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// decision writes a decision and what it consists of.
func (l *loader) decision(d *rationale.Decision) error {
	cols := []col{{"record", l.n}, {"id", d.ID}, {"at", moment(d.At)}, {"parent", text(d.Parent)}}
	for _, group := range [][]col{verdictCols(d), askedCols(d), authorizationCols(d.Authorization), spendCols(d.Spend), followCols(d)} {
		cols = append(cols, group...)
	}
	if err := l.row("decision", cols...); err != nil {
		return err
	}
	if err := l.people(d.Agent.ID, d.Agent.OnBehalfOf); err != nil {
		return err
	}
	if a := d.Authorization; a != nil {
		if err := l.people(append([]string{a.Owner}, a.GrantedBy...)...); err != nil {
			return err
		}
	}
	if d.Ticket != nil {
		named := slices.DeleteFunc(slices.Clone(d.Ticket.By), func(by string) bool { return strings.HasPrefix(by, "group:") })
		if err := l.people(named...); err != nil {
			return err
		}
	}
	return l.parts(d)
}

func verdictCols(d *rationale.Decision) []col {
	var would any
	if d.Would != nil {
		would = d.Would.String()
	}
	return []col{
		{"verdict", d.Verdict.String()},
		{"would", would},
		{"mode", d.Mode.String()},
		{"standing", d.Standing.String()},
		{"class", text(d.Class)},
		{"domain", text(d.Domain)},
		{"effect", text(d.Effect)},
		{"base_tier", d.BaseTier.String()},
		{"tier", d.Tier.String()},
	}
}

// askedCols are who asked for what.
func askedCols(d *rationale.Decision) []col {
	return []col{
		{"agent", d.Agent.ID},
		{"environment", d.Agent.Environment},
		{"session", text(d.Agent.Session)},
		{"on_behalf_of", text(d.Agent.OnBehalfOf)},
		{"model_provider", text(d.Model.Provider)},
		{"model_name", text(d.Model.Name)},
		{"model_version", text(d.Model.Version)},
		{"model_basis", text(d.Model.Basis)},
		{"model_pin", text(d.Model.Pin)},
		{"prompt_digest", text(d.Prompt.Digest)},
		{"prompt_pin", text(d.Prompt.Pin)},
		{"tool_server", text(d.Tool.Server)},
		{"tool", toolName(d.Tool)},
		{"tool_digest", text(d.Tool.Digest)},
		{"tool_pin", text(d.Tool.Pin)},
		{"call_id", text(d.CallID)},
		{"arguments", raw(d.Arguments)},
		{"arguments_digest", text(d.ArgumentsDigest)},
		{"action_digest", text(d.ActionDigest)},
	}
}

// authorizationCols are the authorization as the decision itself names it.
func authorizationCols(a *rationale.AuthorizationRef) []col {
	var version, unsigned, granted, expires, next any
	if a == nil {
		a = new(rationale.AuthorizationRef)
	} else {
		version, unsigned = int64(a.Version), truth(a.Unsigned)
		granted, expires, next = moment(a.GrantedAt), moment(a.Expires), moment(a.NextReview)
	}
	return []col{
		{"authorization", text(a.ID)},
		{"authorization_version", version},
		{"authorization_digest", text(a.Digest)},
		{"owner", text(a.Owner)},
		{"body", text(a.Body)},
		{"granted_by", list(a.GrantedBy)},
		{"granted_at", granted},
		{"expires", expires},
		{"next_review", next},
		{"grant_record", text(a.Record)},
		{"unsigned", unsigned},
		{"matrix", text(a.Matrix)},
	}
}

func spendCols(s *rationale.Spend) []col {
	var observed any
	if s == nil {
		s = new(rationale.Spend)
	} else {
		observed = truth(s.Observed)
	}
	whole, nano := parts(s.Amount)
	limitWhole, limitNano := parts(s.Limit)
	return []col{
		{"spend_currency", text(s.Currency)},
		{"spend_amount", text(s.Amount)},
		{"spend_whole", whole},
		{"spend_nano", nano},
		{"spend_limit", text(s.Limit)},
		{"spend_limit_whole", limitWhole},
		{"spend_limit_nano", limitNano},
		{"spend_top", text(s.Top)},
		{"spend_basis", text(s.Basis)},
		{"spend_observed", observed},
		{"cost_centre", text(s.CostCentre)},
	}
}

// followCols are what the decision asks of people and of the ledger, and on what
// grounds it says that it was taken.
func followCols(d *rationale.Decision) []col {
	ticket, review, check := cmp.Or(d.Ticket, new(rationale.Ticket)), cmp.Or(d.Review, new(rationale.ReviewDue)), d.RationaleCheck
	claim := cmp.Or(d.Rationale, new(rationale.Rationale))
	var quorum, complete, missing any
	if d.Ticket != nil {
		quorum = int64(ticket.Quorum)
	}
	if check != nil {
		complete, missing = truth(check.Complete), list(check.Missing)
	}
	sealed, key := sealedCols(d)
	return []col{
		{"counted_at", optional(d.CountedAt)},
		{"lease", optional(d.Lease)},
		{"ticket_expires", optional(ticket.Expires)},
		{"ticket_quorum", quorum},
		{"ticket_by", list(ticket.By)},
		{"review_due", optional(review.Due)},
		{"review_reason", text(review.Reason)},
		{"review_by", list(review.By)},
		{"rationale_complete", complete},
		{"rationale_missing", missing},
		{"purpose", text(claim.Purpose)},
		{"expected", text(claim.Expected)},
		{"fallback", text(claim.Fallback)},
		{"approval", text(d.Approval)},
		{"trace_id", text(d.Host.TraceID)},
		{"span_id", text(d.Host.SpanID)},
		sealed, key,
	}
}

// sealedCols mark a record whose payload is sealed: what of it has columns is NULL.
func sealedCols(rec rationale.Record) (sealed, key col) {
	sealed, key = col{"sealed", nil}, col{"sealed_key", nil}
	if id := rationale.SealedUnder(rec); id != "" {
		sealed.value, key.value = "sealed", id
	}
	return sealed, key
}

// parts writes what a decision has lists of.
func (l *loader) parts(d *rationale.Decision) error {
	for i, reason := range d.Reasons {
		if err := l.row("decision_reason", col{"decision", d.ID}, col{"position", int64(i)}, col{"reason", string(reason)}); err != nil {
			return err
		}
	}
	for i := range d.Checks {
		if err := l.check(d, i); err != nil {
			return err
		}
	}
	for i := range d.Facts {
		if err := l.fact(d.ID, i, false, &d.Facts[i]); err != nil {
			return err
		}
	}
	for i := range d.Derived {
		if err := l.fact(d.ID, i, true, &d.Derived[i]); err != nil {
			return err
		}
	}
	for i, m := range d.Limits {
		if err := l.row(
			"decision_limit", col{"decision", d.ID}, col{"position", int64(i)}, col{"kind", string(m.Kind)}, col{"limit_id", m.ID},
			col{"cost_centre", text(m.CostCentre)}, col{"max", m.Max}, col{"currency", text(m.Currency)}, col{"per", m.Per},
			col{"zone", text(m.Zone)}, col{"from_at", optional(m.From)}, col{"until_at", optional(m.Until)},
		); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) check(d *rationale.Decision, i int) error {
	c := &d.Checks[i]
	var to any
	if c.To != 0 {
		to = c.To.String()
	}
	return l.row(
		"decision_check", col{"decision", d.ID}, col{"position", int64(i)}, col{"kind", string(c.Kind)}, col{"check_id", c.ID},
		col{"result", string(c.Result)}, col{"reason", text(c.Reason)}, col{"why", text(c.Why)}, col{"message", text(c.Message)},
		col{"within", text(c.Within)}, col{"raised_to", to}, col{"inputs", list(c.Inputs)},
	)
}

func (l *loader) fact(decision string, i int, derived bool, f *rationale.Fact) error {
	return l.row(
		"decision_fact", col{"decision", decision}, col{"position", int64(i)}, col{"derived", truth(derived)}, col{"name", f.Name},
		col{"value", raw(f.Value)}, col{"digest", text(f.Digest)}, col{"source", text(f.Source)}, col{"at", optional(f.At)}, col{"error", text(f.Error)},
	)
}
