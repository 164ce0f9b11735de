package recorddb

import (
	"cmp"

	"github.com/ambit-go/ambit/rationale"
)

func (l *loader) outcome(o *rationale.Outcome) error {
	whole, nano := parts(o.Spent)
	sealed, key := sealedCols(o)
	return l.row(
		"outcome", col{"record", l.n}, col{"id", o.ID}, col{"at", moment(o.At)}, col{"decision", o.Decision},
		col{"started", moment(o.Started)}, col{"status", string(o.Status)}, col{"error", text(o.Error)}, col{"error_type", text(o.ErrorType)},
		col{"result_digest", text(o.ResultDigest)}, col{"result_bytes", count(o.ResultBytes)}, col{"effect_id", text(o.Effect)},
		col{"spent", text(o.Spent)}, col{"spent_whole", whole}, col{"spent_nano", nano}, sealed, key,
	)
}

func (l *loader) settlement(s *rationale.Settlement) error {
	whole, nano := parts(s.Spent)
	return l.row(
		"settlement", col{"record", l.n}, col{"id", s.ID}, col{"at", moment(s.At)}, col{"decision", s.Decision},
		col{"status", string(s.Status)}, col{"spent", text(s.Spent)}, col{"spent_whole", whole}, col{"spent_nano", nano},
		col{"by", text(s.By)}, col{"why", text(s.Why)},
	)
}

func (l *loader) approval(a *rationale.Approval) error {
	whole, nano := parts(a.Amount)
	topWhole, topNano := parts(a.UpTo)
	ref := cmp.Or(a.Authorization, new(rationale.AuthorizationRef))
	if err := l.row(
		"approval", col{"record", l.n}, col{"id", a.ID}, col{"at", moment(a.At)}, col{"ticket", a.Ticket}, col{"by", a.By.ID},
		col{"groups", list(a.By.Groups)}, col{"answer", string(a.Answer)}, col{"why", text(a.Why)}, col{"change", text(a.Change)},
		col{"action_digest", a.ActionDigest}, col{"currency", text(a.Currency)}, col{"amount", text(a.Amount)},
		col{"amount_whole", whole}, col{"amount_nano", nano}, col{"up_to", text(a.UpTo)}, col{"up_to_whole", topWhole}, col{"up_to_nano", topNano},
		col{"asked", moment(a.Asked)}, col{"expires", moment(a.Expires)}, col{"agent", a.Agent.ID}, col{"environment", a.Agent.Environment},
		col{"on_behalf_of", text(a.Agent.OnBehalfOf)}, col{"tool_server", text(a.Tool.Server)}, col{"tool", toolName(a.Tool)},
		col{"class", text(a.Class)}, col{"authorization", text(ref.ID)}, col{"authorization_digest", text(ref.Digest)}, col{"owner", text(ref.Owner)},
	); err != nil {
		return err
	}
	return l.people(a.By.ID, a.Agent.ID, a.Agent.OnBehalfOf, ref.Owner)
}

func (l *loader) review(r *rationale.Review) error {
	ref := cmp.Or(r.Authorization, new(rationale.AuthorizationRef))
	if err := l.row(
		"review", col{"record", l.n}, col{"id", r.ID}, col{"at", moment(r.At)}, col{"decision", r.Decision}, col{"by", r.By.ID},
		col{"groups", list(r.By.Groups)}, col{"finding", string(r.Finding)}, col{"why", text(r.Why)}, col{"action", text(r.Action)},
		col{"reason", r.Reason}, col{"owed", moment(r.Owed)}, col{"due", moment(r.Due)}, col{"agent", r.Agent.ID},
		col{"environment", r.Agent.Environment}, col{"on_behalf_of", text(r.Agent.OnBehalfOf)}, col{"class", text(r.Class)},
		col{"authorization", text(ref.ID)}, col{"authorization_digest", text(ref.Digest)}, col{"owner", text(ref.Owner)},
	); err != nil {
		return err
	}
	return l.people(r.By.ID, r.Agent.ID, r.Agent.OnBehalfOf, ref.Owner)
}

func (l *loader) checkpoint(c *rationale.Checkpoint) error {
	return l.row("checkpoint", col{"record", l.n}, col{"id", c.ID}, col{"at", moment(c.At)}, col{"journal", c.Head.Journal},
		col{"seq", int64(c.Head.Seq)}, col{"hash", c.Head.Hash}, col{"key", c.Key}, col{"signature", c.Signature})
}
