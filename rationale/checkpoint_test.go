package rationale_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

func TestCheckpointSignsEveryPart(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	public := key.Public().(ed25519.PublicKey)
	head := rationale.Head{Journal: "j1", Seq: 42, Hash: "sha256:aa"}
	c, err := rationale.SignCheckpoint(head, at("2026-11-01T12:00:00.5+02:00"), key)
	require.NoError(t, err)
	require.NoError(t, c.Verify(public))
	assert.True(t, ed25519.Verify(public, []byte("ambit checkpoint v1\njournal \"j1\"\nseq 42\nhash \"sha256:aa\"\nat 2026-11-01T10:00:00.5Z\n"), c.Signature),
		"what is signed is text that other tools can build")
	for name, change := range map[string]func(c *rationale.Checkpoint){
		"journal":   func(c *rationale.Checkpoint) { c.Head.Journal = "j2" },
		"seq":       func(c *rationale.Checkpoint) { c.Head.Seq++ },
		"hash":      func(c *rationale.Checkpoint) { c.Head.Hash = "sha256:ab" },
		"time":      func(c *rationale.Checkpoint) { c.At = c.At.Add(1) },
		"signature": func(c *rationale.Checkpoint) { c.Signature = append([]byte{1}, c.Signature[1:]...) },
		"a newline": func(c *rationale.Checkpoint) { c.Head.Journal = "j1\"\nseq 42" },
	} {
		changed := *c
		change(&changed)
		assert.ErrorIs(t, changed.Verify(public), rationale.ErrUnknownKey, name)
	}
	assert.ErrorIs(t, c.Verify(), rationale.ErrUnknownKey)
	assert.ErrorIs(t, c.Verify(nil, ed25519.PublicKey("short")), rationale.ErrUnknownKey)
	_, err = rationale.SignCheckpoint(head, at("2026-11-01T12:00:00Z"), nil)
	assert.Error(t, err)

	body, err := rationale.Marshal(c)
	require.NoError(t, err)
	back, err := rationale.Unmarshal(body)
	require.NoError(t, err)
	assert.Equal(t, c, back)
	require.NoError(t, back.(*rationale.Checkpoint).Verify(public), "also after a round trip")
}

func TestSnapshotRoundTrip(t *testing.T) {
	s := &rationale.Snapshot{Kind: rationale.KindSnapshot, ID: "s1", At: at("2026-11-01T10:00:00Z"), State: []byte(`{"open":[]}`)}
	body, err := rationale.Marshal(s)
	require.NoError(t, err)
	back, err := rationale.Unmarshal(body)
	require.NoError(t, err)
	assert.Equal(t, s, back)
}

// The fast ways to write and to follow a chain agree with the envelope.
func TestAppendBodyAndFollowAgreeWithTheEnvelope(t *testing.T) {
	for _, journal := range []string{"0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "j\"1\n\u2028ä", ""} {
		chain, follower := rationale.NewChain(journal), rationale.NewChain(journal)
		for _, rec := range []rationale.Record{fullDecision(), fullOutcome()} {
			before := chain.Head()
			body, err := rationale.Marshal(rec)
			require.NoError(t, err)
			line := chain.AppendBody(nil, body)
			want, err := rationale.Envelope{Journal: journal, Seq: before.Seq + 1, Prev: before.Hash, Body: body}.Line()
			require.NoError(t, err)
			assert.Equal(t, string(want)+"\n", string(line))
			followed, err := follower.Follow(want)
			require.NoError(t, err)
			assert.Equal(t, body, followed)
			assert.Equal(t, chain.Head(), follower.Head())
		}
		head := follower.Head()
		for name, line := range map[string]string{
			"not a line":     "{",
			"repeated":       string(mustLine(t, rationale.Envelope{Journal: journal, Seq: head.Seq, Prev: head.Hash, Body: []byte(`{}`)})),
			"with a gap":     string(mustLine(t, rationale.Envelope{Journal: journal, Seq: head.Seq + 2, Prev: head.Hash, Body: []byte(`{}`)})),
			"not chained":    string(mustLine(t, rationale.Envelope{Journal: journal, Seq: head.Seq + 1, Prev: "sha256:00", Body: []byte(`{}`)})),
			"not canonical":  `{"body": {},"journal":"x","prev":"","seq":3}`,
			"of a different": string(mustLine(t, rationale.Envelope{Journal: "other", Seq: head.Seq + 1, Prev: head.Hash, Body: []byte(`{}`)})),
		} {
			_, err := follower.Follow([]byte(line))
			var broken *rationale.ChainError
			require.ErrorAs(t, err, &broken, name)
			assert.Equal(t, head, follower.Head(), name)
		}
	}
	_, err := rationale.NewChain("\xff").Append(fullOutcome())
	assert.Error(t, err)
}

func mustLine(t *testing.T, e rationale.Envelope) []byte {
	t.Helper()
	line, err := e.Line()
	require.NoError(t, err)
	return line
}

func TestResume(t *testing.T) {
	first := rationale.NewChain("j")
	_, err := first.Append(fullDecision())
	require.NoError(t, err)
	second := rationale.ResumeChain(first.Head())
	line, err := second.Append(fullOutcome())
	require.NoError(t, err)
	line = bytes.TrimSuffix(line, []byte("\n"))
	_, err = rationale.ResumeVerifier(first.Head()).Next(line)
	require.NoError(t, err)
	_, err = rationale.ResumeVerifier(rationale.Head{Journal: "j", Seq: 1, Hash: "sha256:00"}).Next(line)
	require.Error(t, err)
	lost := rationale.ResumeVerifier(rationale.Head{Journal: "j"})
	lost.Skip()
	_, err = lost.Next(line)
	require.NoError(t, err, "known to be behind a gap")
}
