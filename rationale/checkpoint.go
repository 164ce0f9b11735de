package rationale

import (
	"crypto/ed25519"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"time"
)

// The kinds of record that a ledger's home writes by itself.
const (
	KindSnapshot   Kind = "snapshot"
	KindCheckpoint Kind = "checkpoint"
)

// Snapshot is the state of a ledger after every record before it, so that the
// state can be rebuilt from here on alone.
type Snapshot struct {
	Kind  Kind               `json:"kind"` // KindSnapshot
	ID    string             `json:"id"`
	At    time.Time          `json:"at"`
	State stdjson.RawMessage `json:"state"` // of the ledger that wrote it
}

// Checkpoint is a signed statement of where a journal stood. Whoever holds the
// public key can tell that nothing before it was rewritten without the private
// one; lines that were cut after the last checkpoint leave no trace in it.
type Checkpoint struct {
	Kind      Kind      `json:"kind"` // KindCheckpoint
	ID        string    `json:"id"`
	At        time.Time `json:"at"` // part of what is signed
	Head      Head      `json:"head"`
	Key       string    `json:"key"` // digest of the public key: says which to try, proves nothing
	Signature []byte    `json:"signature"`
}

// SignCheckpoint returns the statement of a head at a time. The key is not kept.
func SignCheckpoint(head Head, at time.Time, key ed25519.PrivateKey) (*Checkpoint, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("sign checkpoint: the key has %d bytes, want %d", len(key), ed25519.PrivateKeySize)
	}
	c := &Checkpoint{Kind: KindCheckpoint, ID: NewID(at), At: at.UTC(), Head: head}
	c.Key = Digest(key.Public().(ed25519.PublicKey))
	c.Signature = ed25519.Sign(key, c.signed())
	return c, nil
}

// ErrUnknownKey is the error of a checkpoint that none of the given keys signed.
var ErrUnknownKey = errors.New("the checkpoint is signed by none of the given keys")

// Verify reports whether one of the keys signed the checkpoint. It does not
// compare the head with any journal.
func (c *Checkpoint) Verify(keys ...ed25519.PublicKey) error {
	for _, key := range keys {
		if len(key) == ed25519.PublicKeySize && ed25519.Verify(key, c.signed(), c.Signature) {
			return nil
		}
	}
	return ErrUnknownKey
}

// signed is what a signature covers: lines of text, so that any Ed25519 tool can
// check one. What could hold a newline is quoted.
func (c *Checkpoint) signed() []byte {
	return fmt.Appendf(nil, "ambit checkpoint v1\njournal %q\nseq %d\nhash %q\nat %s\n",
		c.Head.Journal, c.Head.Seq, c.Head.Hash, c.At.UTC().Format(time.RFC3339Nano))
}

func (s *Snapshot) RecordKind() Kind      { return KindSnapshot }
func (s *Snapshot) RecordID() string      { return s.ID }
func (s *Snapshot) RecordTime() time.Time { return s.At }

func (c *Checkpoint) RecordKind() Kind      { return KindCheckpoint }
func (c *Checkpoint) RecordID() string      { return c.ID }
func (c *Checkpoint) RecordTime() time.Time { return c.At }
