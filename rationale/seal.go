package rationale

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// SubjectKey is the data key of one person whom records are about. What is
// sealed with it can be read as long as the key is kept, and by nobody
// afterwards: destroying it erases the person's data from every copy of the
// records, and leaves the records, and the chain over them, as they are.
type SubjectKey struct {
	ID     string // names the key in records, and says nothing of the subject
	Secret []byte `json:"-"` // 32 random bytes
}

// String returns the key's id.
func (k SubjectKey) String() string { return "subject key " + k.ID }

// Format writes String, whatever the verb: none prints the secret.
func (k SubjectKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// Sealed is the payload of a record, encrypted: AES-256-GCM under a key that
// HKDF-SHA-256 derives from the subject's for the purpose "ambit/v1 seal", over
// canonical JSON, with the record's kind, a NUL and its id as additional data.
type Sealed struct {
	Key  string `json:"key"`  // the id of the [SubjectKey]
	Data []byte `json:"data"` // nonce of 12 bytes, ciphertext and tag
}

// Erasure says that a subject's key was destroyed.
type Erasure struct {
	Key string    `json:"key"` // its id
	At  time.Time `json:"at"`
	By  string    `json:"by"`  // who destroyed it
	Why string    `json:"why"` // on what ground
}

// Record returns the record of the erasure.
func (e Erasure) Record() *Lifecycle {
	return &Lifecycle{
		Kind: KindLifecycle, ID: NewID(e.At), At: e.At, Event: EventErased, SubjectKey: e.Key, By: e.By, Message: e.Why,
	}
}

// decisionPayload is what is sealed of a decision.
type decisionPayload struct {
	Arguments       stdjson.RawMessage `json:"arguments,omitzero"`
	ArgumentsDigest string             `json:"arguments_digest,omitzero"`
	Checks          []checkPayload     `json:"checks,omitempty"` // as the record's
	Facts           []Fact             `json:"facts,omitempty"`
	Derived         []Fact             `json:"derived,omitempty"`
	Rationale       *Rationale         `json:"rationale,omitzero"`
	RationaleCheck  *RationaleCheck    `json:"rationale_check,omitzero"`
	Quantity        string             `json:"quantity,omitzero"`
	Unit            string             `json:"unit,omitzero"`
	Price           string             `json:"price,omitzero"`
}

type checkPayload struct {
	ID      string  `json:"id"`
	Message string  `json:"message,omitzero"`
	Inputs  []Input `json:"inputs,omitempty"`
}

// outcomePayload is what is sealed of an outcome.
type outcomePayload struct {
	Error        string `json:"error,omitzero"`
	ResultDigest string `json:"result_digest,omitzero"`
	ResultBytes  int64  `json:"result_bytes,omitzero"`
}

// sealedText stands in place of a message that is sealed.
const sealedText = "sealed: it may quote the subject's data"

// Seal puts the payload of a decision under a subject's key: arguments, facts,
// derived values, the inputs of checks and messages that may quote them, the
// rationale and what was said beside it, and how the price was come by. What
// remains says who was allowed what, under which rules, and at what price.
// The digest of the action is keyed, so that nobody can guess by it; the
// payload stays out of telemetry. The refusal keeps what it may say.
//
// With an error the payload is gone from d, and nothing is sealed. d needs its
// ID, and must have no Sealed.
func (d *Decision) Seal(key SubjectKey) error {
	p := decisionPayload{
		Arguments: d.Arguments, ArgumentsDigest: d.ArgumentsDigest, Facts: d.Facts, Derived: d.Derived,
		Rationale: d.Rationale, RationaleCheck: d.RationaleCheck,
	}
	if s := d.Spend; s != nil {
		p.Quantity, p.Unit, p.Price = s.Quantity, s.Unit, s.Price
	}
	for i := range d.Checks {
		c := &d.Checks[i]
		part := checkPayload{ID: c.ID, Inputs: c.Inputs}
		if c.Quotes {
			part.Message = c.Message
		}
		p.Checks = append(p.Checks, part)
	}
	sealed, err := key.seal(KindDecision, d.ID, p)
	if err == nil && d.Sealed != nil {
		err = errors.New("it is sealed already")
	}
	action := d.ActionDigest
	d.Strip()
	if err != nil {
		return fmt.Errorf("seal decision: %w", err)
	}
	d.Sealed = sealed
	if action != "" {
		d.ActionDigest = RecordKey(key).DigestText("action", action)
	}
	return nil
}

// Strip removes from a decision what Seal would seal, and the digest of the
// action. The refusal keeps what it may say.
func (d *Decision) Strip() {
	d.Arguments, d.ArgumentsDigest, d.ActionDigest, d.Rationale, d.Telemetry = nil, "", "", nil, nil
	for i := range d.Checks {
		c := &d.Checks[i]
		if c.Quotes && c.Message != "" {
			c.Told, c.Message = cmp.Or(c.Told, c.Message), sealedText
		}
		inputs := make([]Input, len(c.Inputs))
		for k, in := range c.Inputs {
			inputs[k] = Input{Path: in.Path}
			if root, _, _ := strings.Cut(in.Path, "."); root == "spend" || root == "call" {
				inputs[k] = in
			}
		}
		c.Inputs = inputs
	}
	d.Facts, d.Derived = named(d.Facts), named(d.Derived)
	if c := d.RationaleCheck; c != nil {
		told := c.Told
		if told == nil {
			told = c.NotFound
		}
		d.RationaleCheck = &RationaleCheck{Required: c.Required, Missing: c.Missing, Complete: c.Complete, Told: told}
	}
	if d.Spend != nil {
		kept := *d.Spend
		kept.Quantity, kept.Unit, kept.Price = "", "", ""
		d.Spend = &kept
	}
}

// named returns facts without their values.
func named(facts []Fact) []Fact {
	if facts == nil {
		return nil
	}
	kept := make([]Fact, len(facts))
	for i, f := range facts {
		kept[i] = Fact{Name: f.Name, Source: f.Source, At: f.At}
	}
	return kept
}

// Seal puts what an outcome says of the result under a subject's key: the
// digest and the size of the result, and the text of an error.
func (o *Outcome) Seal(key SubjectKey) error {
	p := outcomePayload{o.Error, o.ResultDigest, o.ResultBytes}
	o.Error, o.ResultDigest, o.ResultBytes = "", "", 0
	if p == (outcomePayload{}) {
		return nil
	}
	sealed, err := key.seal(KindOutcome, o.ID, p)
	if err != nil {
		return fmt.Errorf("seal outcome: %w", err)
	}
	o.Sealed = sealed
	return nil
}

// SealedUnder returns the id of the key that a record is sealed with, or "".
func SealedUnder(rec Record) string {
	switch r := rec.(type) {
	case *Decision:
		if r.Sealed != nil {
			return r.Sealed.Key
		}
	case *Outcome:
		if r.Sealed != nil {
			return r.Sealed.Key
		}
	}
	return ""
}

// Unseal returns a copy of a sealed record with its payload in place, except for
// the keyed digest of the action. Another key, a payload that was changed, and
// one of another record are errors. A record that is not sealed is returned
// itself.
func Unseal(rec Record, key SubjectKey) (Record, error) {
	switch r := rec.(type) {
	case *Decision:
		if r.Sealed == nil {
			return rec, nil
		}
		var p decisionPayload
		if err := key.unseal(KindDecision, r.ID, r.Sealed, &p); err != nil {
			return nil, fmt.Errorf("unseal decision %s: %w", Printable(r.ID), err)
		}
		return r.with(p)
	case *Outcome:
		if r.Sealed == nil {
			return rec, nil
		}
		var p outcomePayload
		if err := key.unseal(KindOutcome, r.ID, r.Sealed, &p); err != nil {
			return nil, fmt.Errorf("unseal outcome %s: %w", Printable(r.ID), err)
		}
		o := *r
		o.Sealed, o.Error, o.ResultDigest, o.ResultBytes = nil, p.Error, p.ResultDigest, p.ResultBytes
		return &o, nil
	}
	return rec, nil
}

// with returns a copy of the decision with its payload in place.
func (d *Decision) with(p decisionPayload) (*Decision, error) {
	open := *d
	open.Sealed, open.Arguments, open.ArgumentsDigest = nil, p.Arguments, p.ArgumentsDigest
	open.Facts, open.Derived, open.Rationale, open.RationaleCheck = p.Facts, p.Derived, p.Rationale, p.RationaleCheck
	if d.Spend != nil {
		spend := *d.Spend
		spend.Quantity, spend.Unit, spend.Price = p.Quantity, p.Unit, p.Price
		open.Spend = &spend
	}
	open.Checks = append([]Check(nil), d.Checks...)
	for i, part := range p.Checks {
		if i >= len(open.Checks) || open.Checks[i].ID != part.ID {
			return nil, fmt.Errorf("unseal decision %s: its checks are others than those that were sealed", Printable(d.ID))
		}
		c := &open.Checks[i]
		c.Inputs = part.Inputs
		c.Message = cmp.Or(part.Message, c.Message)
	}
	return &open, nil
}

// aead returns the cipher of the key.
func (k SubjectKey) aead() (cipher.AEAD, error) {
	if k.ID == "" || len(k.Secret) != sha256.Size {
		return nil, errors.New("a subject's key has an id and 32 bytes")
	}
	secret, err := hkdf.Key(sha256.New, k.Secret, nil, "ambit/v1 seal", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func sealedFor(kind Kind, id string) []byte { return []byte(string(kind) + "\x00" + id) }

func (k SubjectKey) seal(kind Kind, id string, payload any) (*Sealed, error) {
	aead, err := k.aead()
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, errNoID
	}
	plain, err := json.Marshal(payload, utcTimes)
	if err != nil {
		return nil, errors.New("its payload cannot be encoded") // the error could quote it
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process first
	return &Sealed{Key: k.ID, Data: aead.Seal(nonce, nonce, plain, sealedFor(kind, id))}, nil
}

func (k SubjectKey) unseal(kind Kind, id string, s *Sealed, payload any) error {
	if s.Key != k.ID {
		return fmt.Errorf("it is sealed under key %s, and this is key %s", Printable(s.Key), Printable(k.ID))
	}
	aead, err := k.aead()
	if err != nil {
		return err
	}
	if len(s.Data) < aead.NonceSize() {
		return errors.New("the sealed payload is cut")
	}
	nonce, data := s.Data[:aead.NonceSize()], s.Data[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, data, sealedFor(kind, id))
	if err != nil {
		return errors.New("the sealed payload was changed, is another record's, or was sealed with another key")
	}
	return json.Unmarshal(plain, payload)
}
