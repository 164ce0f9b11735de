package recorddb

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/internal/yamldoc"
	"github.com/ambit-go/ambit/rationale"
)

// support is what authorizations refer to, by file name: price lists and matrices.
type support map[string]authority.Document

func (l *loader) lifecycle(c *rationale.Lifecycle) error {
	ref := cmp.Or(c.Authorization, new(rationale.AuthorizationRef))
	what := cmp.Or(c.Suspension, new(rationale.Suspension))
	previous := cmp.Or(c.Previous, new(rationale.Head))
	var version, everything, seq any
	if c.Authorization != nil {
		version = int64(ref.Version)
	}
	if c.Suspension != nil {
		everything = truth(what.Everything)
	}
	if c.Previous != nil {
		seq = int64(previous.Seq)
	}
	var digest string
	if c.Bytes != nil {
		digest = rationale.Digest(c.Bytes)
	}
	if err := l.row(
		"lifecycle", col{"record", l.n}, col{"id", c.ID}, col{"at", moment(c.At)}, col{"event", string(c.Event)}, col{"agent", text(c.Agent.ID)},
		col{"environment", text(c.Agent.Environment)}, col{"authorization", text(ref.ID)}, col{"authorization_version", version},
		col{"authorization_digest", text(ref.Digest)}, col{"standing", c.Standing.String()}, col{"document", text(c.Document)},
		col{"digest", text(c.Digest)}, col{"bytes_digest", text(digest)}, col{"supersedes", text(c.Supersedes)}, col{"message", text(c.Message)},
		col{"by", text(c.By)}, col{"suspends_everything", everything}, col{"suspends_agent", text(what.Agent)},
		col{"suspends_authorization", text(what.Authorization)}, col{"suspends_class", text(what.Class)}, col{"subject_key", text(c.SubjectKey)},
		col{"denied", count(c.Denied)}, col{"from_at", optional(c.From)}, col{"until_at", optional(c.Until)}, col{"previous_journal", text(previous.Journal)},
		col{"previous_seq", seq}, col{"previous_hash", text(previous.Hash)}, col{"damage", list(c.Damage)},
	); err != nil {
		return err
	}
	if c.Bytes == nil {
		return nil
	}
	if err := l.document(c, digest); err != nil || c.Event != rationale.EventLoaded || c.Authorization == nil {
		return err
	}
	return l.authorization(c, digest)
}

// document writes the exact bytes of a document, once.
func (l *loader) document(c *rationale.Lifecycle, digest string) error {
	d := readDocument(c.Document, c.Bytes)
	if d.kind == "PriceList" || d.kind == "AuthorityMatrix" {
		l.support[c.Document] = authority.Document{Name: c.Document, Data: c.Bytes, Signature: c.Signature}
	}
	return l.row("document", col{"digest", digest}, col{"name", text(c.Document)}, col{"kind", text(d.kind)}, col{"loaded_at", moment(c.At)},
		col{"bytes", c.Bytes}, col{"signature", c.Signature}, col{"authorization", text(d.authorization)},
		col{"agent", text(d.agent)}, col{"from_at", optional(d.at)}, col{"until_at", optional(d.until)})
}

// stated is what a document says at its top.
type stated struct {
	kind, authorization, agent string // of a Reaffirmation, Revocation or Suspension
	at, until                  time.Time
}

// readDocument reads what a document is about. One that is unreadable is about
// nothing; whether it is valid is not asked here.
func readDocument(name string, data []byte) stated {
	file, _ := yamldoc.Parse(name, data)
	var s stated
	for _, e := range file.Root().Entries() {
		value := e.Value.Text()
		switch e.Key.Text() {
		case "kind":
			s.kind = value
		case "authorization":
			s.authorization = value
		case "agent":
			s.agent = value // empty for the mapping of an Authorization
		case "at":
			s.at, _ = time.Parse(time.RFC3339Nano, value)
		case "until":
			s.until, _ = time.Parse(time.RFC3339Nano, value)
		}
	}
	return s
}

// authorization writes what the host took from an authorization that it loaded.
func (l *loader) authorization(c *rationale.Lifecycle, digest string) error {
	a := c.Authorization
	if err := l.row(
		"authorization", col{"digest", digest}, col{"id", a.ID}, col{"version", int64(a.Version)}, col{"owner", a.Owner}, col{"body", text(a.Body)},
		col{"granted_at", moment(a.GrantedAt)}, col{"expires", moment(a.Expires)}, col{"next_review", moment(a.NextReview)},
		col{"grant_record", text(a.Record)}, col{"supersedes", text(c.Supersedes)}, col{"matrix", text(a.Matrix)},
		col{"unsigned", truth(a.Unsigned)}, col{"loaded_at", moment(c.At)},
	); err != nil {
		return err
	}
	for _, by := range a.GrantedBy {
		if err := l.row("grantor", col{"authorization_digest", digest}, col{"by", by}); err != nil {
			return err
		}
	}
	return l.people(append([]string{a.Owner}, a.GrantedBy...)...)
}

// classes reads the classes of every authorization from its exact bytes, by the code
// that enforces them. Where that fails, the authorization says why.
func (l *loader) classes() error {
	rows, err := l.tx.Query(`SELECT digest FROM authorization ORDER BY digest`)
	if err != nil {
		return err
	}
	var digests []string
	for rows.Next() {
		var digest string
		if err := rows.Scan(&digest); err != nil {
			return err
		}
		digests = append(digests, digest)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, digest := range digests {
		if err := l.classesOf(digest); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) classesOf(digest string) error {
	var name string
	var data []byte
	var at string
	row := l.tx.QueryRow(`SELECT coalesce(d.name, ''), d.bytes, coalesce(a.granted_at, '') FROM authorization a JOIN document d USING (digest) WHERE digest = ?`, digest)
	if err := row.Scan(&name, &data, &at); err != nil {
		return err
	}
	docs := []authority.Document{{Name: name, Data: data}}
	for _, other := range slices.Sorted(maps.Keys(l.support)) {
		docs = append(docs, l.support[other])
	}
	granted, _ := time.Parse(time.RFC3339Nano, at)
	set, err := authority.Load(docs, authority.Manifest{}, authority.AllowUnsigned())
	if err != nil {
		_, err = l.tx.Exec(`UPDATE authorization SET problem = ? WHERE digest = ?`, err.Error(), digest)
		return err
	}
	for _, e := range set.Inventory(granted) {
		if e.Authorization == nil || e.Authorization.Digest != digest {
			continue
		}
		if err := l.row(
			"class", col{"authorization_digest", digest}, col{"class", e.Class}, col{"tool", e.Tool}, col{"agent", e.Agent},
			col{"environment", e.Environment}, col{"domain", text(e.Domain)}, col{"tier", e.Tier}, col{"effect", e.Effect},
			col{"conditional", truth(e.Conditional)}, col{"review_by", list(e.ReviewBy)},
		); err != nil {
			return err
		}
	}
	return nil
}
