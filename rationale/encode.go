package rationale

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Unknown is a record of a kind that this version does not know. It is kept
// verbatim, so that a reader one version behind its writer loses nothing:
// [Marshal] of it gives the canonical form of Body.
type Unknown struct {
	Kind Kind
	ID   string
	At   time.Time
	Body stdjson.RawMessage // the whole record
}

func (u *Unknown) RecordKind() Kind      { return u.Kind }
func (u *Unknown) RecordID() string      { return u.ID }
func (u *Unknown) RecordTime() time.Time { return u.At }

var errNoID = errors.New("the record has no id")

// utcTimes writes every time in UTC, RFC 3339, without trailing zeros.
var utcTimes = json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, t time.Time) error {
	text, err := t.UTC().MarshalText() // checks the year's range
	if err != nil {
		return err
	}
	return enc.WriteToken(jsontext.String(string(text)))
}))

// Marshal returns the record's canonical encoding, as [Canonicalize] defines
// it: one line, times in UTC, with "kind", "id" and "at". The kind is the
// record's type, whatever its Kind field says.
//
// A nil record, one without an id, text that is not valid UTF-8, raw JSON that
// is not valid or repeats a name, and a time outside the years 0 to 9999 are
// errors. Marshal does not change the record, and must not run while it changes.
func Marshal(rec Record) ([]byte, error) {
	w := newWriter()
	defer w.release()
	if w.record(rec) {
		return bytes.Clone(w.out), nil
	}
	return marshal(rec)
}

// AppendRecord is [Marshal], and appends the encoding to dst. After an error dst
// is as before.
func AppendRecord(dst []byte, rec Record) ([]byte, error) {
	w := newWriter()
	defer w.release()
	if w.record(rec) {
		return append(dst, w.out...), nil
	}
	encoded, err := marshal(rec)
	return append(dst, encoded...), err
}

// record writes the records of every call, and reports whether it has: others,
// and those that are an error, are left to [marshal].
func (w *writer) record(rec Record) bool {
	switch r := rec.(type) {
	case *Decision:
		if r == nil || r.ID == "" {
			return false
		}
		w.decision(r)
	case *Outcome:
		if r == nil || r.ID == "" {
			return false
		}
		w.outcome(r)
	default:
		return false
	}
	return !w.failed
}

// marshal is [Marshal] for every record.
func marshal(rec Record) ([]byte, error) {
	body, err := marshalRecord(rec)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return Canonicalize(body)
}

func marshalRecord(rec Record) ([]byte, error) {
	switch r := rec.(type) {
	case *Decision:
		if r != nil {
			d := *r
			d.Kind = KindDecision
			return marshalKnown(&d, d.ID)
		}
	case *Outcome:
		if r != nil {
			o := *r
			o.Kind = KindOutcome
			return marshalKnown(&o, o.ID)
		}
	case *Lifecycle:
		if r != nil {
			l := *r
			l.Kind = KindLifecycle
			return marshalKnown(&l, l.ID)
		}
	case *Settlement:
		if r != nil {
			s := *r
			s.Kind = KindSettlement
			return marshalKnown(&s, s.ID)
		}
	case *Approval:
		if r != nil {
			a := *r
			a.Kind = KindApproval
			return marshalKnown(&a, a.ID)
		}
	case *Review:
		if r != nil {
			v := *r
			v.Kind = KindReview
			return marshalKnown(&v, v.ID)
		}
	case *Snapshot:
		if r != nil {
			s := *r
			s.Kind = KindSnapshot
			return marshalKnown(&s, s.ID)
		}
	case *Checkpoint:
		if r != nil {
			c := *r
			c.Kind = KindCheckpoint
			return marshalKnown(&c, c.ID)
		}
	case *Unknown:
		if r != nil {
			return r.Body, nil
		}
	case nil:
	default:
		return nil, fmt.Errorf("%T is no record of this package", rec)
	}
	return nil, errors.New("the record is nil")
}

func marshalKnown(rec any, id string) ([]byte, error) {
	if id == "" {
		return nil, errNoID
	}
	return json.Marshal(rec, utcTimes)
}

// UnmarshalAs decodes one record as [Unmarshal] does, of which the kind is known. One of
// another kind is an error.
func UnmarshalAs[R Record](data []byte) (R, error) {
	var none R
	rec, err := Unmarshal(data)
	if err != nil {
		return none, err
	}
	r, ok := rec.(R)
	if !ok {
		return none, fmt.Errorf("record %s is of kind %s", Printable(rec.RecordID()), rec.RecordKind())
	}
	return r, nil
}

// Unmarshal decodes one record by its "kind": *[Decision], *[Outcome],
// *[Settlement], *[Lifecycle], *[Approval], *[Review], *[Snapshot] or *[Checkpoint],
// and *[Unknown] for every other kind.
//
// Members that this version does not know are ignored; who needs them has the
// exact bytes in [Envelope].Body. Unknown names of verdicts, tiers, standings
// and modes decode to the value that denies. Invalid JSON, invalid UTF-8,
// duplicate names, names in another case than written, wrong types, and a
// record without kind or id are errors.
func Unmarshal(data []byte) (Record, error) {
	if rec := unmarshalCommon(data); rec != nil {
		return rec, nil
	}
	var head struct {
		Kind Kind      `json:"kind"`
		ID   string    `json:"id"`
		At   time.Time `json:"at"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("decode record: %w", err)
	}
	if head.Kind == "" {
		return nil, errors.New("decode record: it has no kind")
	}
	if head.ID == "" {
		return nil, fmt.Errorf("decode record: %w", errNoID)
	}
	var rec Record
	switch head.Kind {
	case KindDecision:
		rec = new(Decision)
	case KindOutcome:
		rec = new(Outcome)
	case KindLifecycle:
		rec = new(Lifecycle)
	case KindApproval:
		rec = new(Approval)
	case KindReview:
		rec = new(Review)
	case KindSettlement:
		rec = new(Settlement)
	case KindSnapshot:
		rec = new(Snapshot)
	case KindCheckpoint:
		rec = new(Checkpoint)
	default:
		body := append(stdjson.RawMessage(nil), data...)
		return &Unknown{Kind: head.Kind, ID: head.ID, At: head.At, Body: body}, nil
	}
	if err := json.Unmarshal(data, rec); err != nil {
		return nil, fmt.Errorf("decode %s %s: %w", head.Kind, Printable(head.ID), err)
	}
	return rec, nil
}

// unmarshalCommon decodes the records of every call without reading them twice:
// what they seem to be, they nearly always are. It returns nil for all others, and
// for those that are an error.
func unmarshalCommon(data []byte) Record {
	switch {
	case bytes.Contains(data, []byte(`"kind":"outcome"`)):
		o := new(Outcome)
		if json.Unmarshal(data, o) == nil && o.Kind == KindOutcome && o.ID != "" {
			return o
		}
	case bytes.Contains(data, []byte(`"kind":"decision"`)):
		d := new(Decision)
		if json.Unmarshal(data, d) == nil && d.Kind == KindDecision && d.ID != "" {
			return d
		}
	}
	return nil
}
