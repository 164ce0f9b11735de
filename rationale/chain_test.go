package rationale_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/rationale"
)

// chainLines returns a journal of n outcomes, a line each with its newline.
func chainLines(t require.TestingT, journal string, n int) [][]byte {
	chain := rationale.NewChain(journal)
	var lines [][]byte
	for i := range n {
		line, err := chain.Append(&rationale.Outcome{ID: fmt.Sprint("o", i), Spent: "100.00"})
		require.NoError(t, err)
		lines = append(lines, line)
	}
	return lines
}

func TestChainBytes(t *testing.T) {
	chain := rationale.NewChain("j1")
	assert.Equal(t, rationale.Head{Journal: "j1"}, chain.Head())
	line, err := chain.Append(&rationale.Outcome{ID: "o"})
	require.NoError(t, err)
	assert.Equal(t, `{"body":{"at":"0001-01-01T00:00:00Z","decision":"","id":"o","kind":"outcome",`+
		`"started":"0001-01-01T00:00:00Z","status":""},"journal":"j1","prev":"","seq":1}`+"\n", string(line))
	head := rationale.Head{Journal: "j1", Seq: 1, Hash: rationale.Digest(bytes.TrimSuffix(line, []byte("\n")))}
	assert.Equal(t, head, chain.Head())

	_, err = chain.Append(&rationale.Outcome{})
	require.Error(t, err)
	assert.Equal(t, head, chain.Head(), "a refused record moves nothing")

	got, err := rationale.VerifyChain(bytes.NewReader(line))
	require.NoError(t, err)
	assert.Equal(t, head, got)
	var v rationale.Verifier
	envelope, err := v.Next(bytes.TrimSuffix(line, []byte("\n")))
	require.NoError(t, err)
	hash, err := envelope.Hash()
	require.NoError(t, err)
	assert.Equal(t, head.Hash, hash)
}

func TestVerifyChainSaysWhereItBreaks(t *testing.T) {
	lines := chainLines(t, "j1", 5)
	other := chainLines(t, "j2", 5)
	edited := bytes.Replace(lines[2], []byte("100.00"), []byte("900.00"), 1)
	for _, c := range []struct {
		name    string
		journal [][]byte
		line    int
		problem rationale.ChainProblem
		good    uint64
	}{
		{"edited line", [][]byte{lines[0], lines[1], edited, lines[3], lines[4]}, 4, rationale.ChainEdited, 3},
		{"removed line", [][]byte{lines[0], lines[1], lines[3]}, 3, rationale.ChainGap, 2},
		{"removed first line", lines[1:], 1, rationale.ChainGap, 0},
		{"swapped lines", [][]byte{lines[0], lines[2], lines[1]}, 2, rationale.ChainGap, 1},
		{"repeated line", [][]byte{lines[0], lines[1], lines[1]}, 3, rationale.ChainOrder, 2},
		{"earlier line again", [][]byte{lines[0], lines[1], lines[0]}, 3, rationale.ChainOrder, 2},
		{"line of another journal", [][]byte{lines[0], other[1]}, 2, rationale.ChainForeign, 1},
		{"other spelling", [][]byte{lines[0], bytes.Replace(lines[1], []byte(`"seq":2`), []byte(`"seq":2.0`), 1)}, 2, rationale.ChainMalformed, 1},
		{"space", [][]byte{lines[0], append([]byte(" "), lines[1]...)}, 2, rationale.ChainEdited, 1},
		{"added member", [][]byte{bytes.Replace(lines[0], []byte(`"seq":1`), []byte(`"seq":1,"x":0`), 1)}, 1, rationale.ChainMalformed, 0},
		{"repeated member", [][]byte{bytes.Replace(lines[0], []byte(`"seq":1`), []byte(`"seq":1,"seq":1`), 1)}, 1, rationale.ChainMalformed, 0},
		{"garbage", [][]byte{lines[0], []byte("\x00\x00\n"), lines[1]}, 2, rationale.ChainMalformed, 1},
		{"empty line", [][]byte{lines[0], []byte("\n")}, 2, rationale.ChainMalformed, 1},
		{"torn end", [][]byte{lines[0], lines[1][:20]}, 2, rationale.ChainTorn, 1},
		{"missing newline", [][]byte{lines[0], bytes.TrimSuffix(lines[1], []byte("\n"))}, 2, rationale.ChainTorn, 1},
		{"first line with a predecessor", [][]byte{bytes.Replace(lines[0], []byte(`"prev":""`), []byte(`"prev":"sha256:00"`), 1)}, 1, rationale.ChainEdited, 0},
		{"position zero", [][]byte{bytes.Replace(lines[0], []byte(`"seq":1`), []byte(`"seq":0`), 1)}, 1, rationale.ChainOrder, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			good, err := rationale.VerifyChain(bytes.NewReader(bytes.Join(c.journal, nil)))
			broken, ok := errors.AsType[*rationale.ChainError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, c.line, broken.Line, "%v", err)
			assert.Equal(t, c.problem, broken.Problem, "%v", err)
			assert.Equal(t, c.good, good.Seq)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// After a break the rest is still checked, and one edit is one error.
func TestVerifierResumes(t *testing.T) {
	lines := chainLines(t, "j", 6)
	for name, change := range map[string]func() [][]byte{
		"edited":    func() [][]byte { return replaced(lines, 2, bytes.Replace(lines[2], []byte("100"), []byte("900"), 1)) },
		"respelled": func() [][]byte { return replaced(lines, 2, append([]byte(" "), lines[2]...)) },
		"garbage":   func() [][]byte { return replaced(lines, 2, []byte("garbage\n")) },
		"removed":   func() [][]byte { return slices.Delete(slices.Clone(lines), 2, 3) },
	} {
		t.Run(name, func(t *testing.T) {
			var v rationale.Verifier
			var broken []error
			for line := range rationale.Lines(bytes.NewReader(bytes.Join(change(), nil))) {
				if _, err := v.Next(line); err != nil {
					broken = append(broken, err)
				}
			}
			assert.Len(t, broken, 1)
			assert.Equal(t, uint64(6), v.Head().Seq)
		})
	}
}

func replaced(lines [][]byte, i int, line []byte) [][]byte {
	lines = slices.Clone(lines)
	lines[i] = line
	return lines
}

func TestVerifyChainReportsReadErrors(t *testing.T) {
	boom := errors.New("boom")
	first := chainLines(t, "j", 1)[0]
	head, err := rationale.VerifyChain(io.MultiReader(bytes.NewReader(first), iotest.ErrReader(boom)))
	assert.ErrorIs(t, err, boom)
	assert.Equal(t, uint64(1), head.Seq)
	head, err = rationale.VerifyChain(strings.NewReader(""))
	assert.NoError(t, err)
	assert.Zero(t, head)
}

// No change of bytes but one behind the end goes unnoticed by who kept the head.
func TestChainNoticesEveryChange(t *testing.T) {
	whole := bytes.Join(chainLines(t, "j", 4), nil)
	want, err := rationale.VerifyChain(bytes.NewReader(whole))
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(whole)-1).Draw(t, "at")
		changed := bytes.Clone(whole)
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			changed[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		case 1:
			changed = slices.Delete(changed, i, min(i+rapid.IntRange(1, 300).Draw(t, "n"), len(changed)))
		case 2:
			changed = slices.Insert(changed, i, rapid.Byte().Draw(t, "byte"))
		}
		if bytes.Equal(changed, whole) {
			return
		}
		head, err := rationale.VerifyChain(bytes.NewReader(changed))
		if err == nil && head == want {
			t.Fatalf("unnoticed: %q", changed)
		}
	})
}
