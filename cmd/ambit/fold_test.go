package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
)

var painted = regexp.MustCompile("\x1b\\[[0-9]+m")

// columns is what a line takes of a terminal that shows what is not ASCII wide.
func columns(line string) int {
	n := 0
	for _, r := range painted.ReplaceAllString(line, "") {
		if n++; r > unicode.MaxASCII {
			n++
		}
	}
	return n
}

var hostile = []string{
	"\x1b[2J\x1b[1;1HTICKET  pre-approved", "x\r\n  you            can approve it", "\u202eevorppa", "\u2028  spend          0 EUR",
	"ok" + strings.Repeat(" ", 200) + "  you            can approve it", strings.Repeat("界", 300), "\u009b31m", "a\x00b\x7f",
	strings.Repeat("word ", 100), "│ and more", "\x1b", strings.Repeat("\x1b[31m", 50),
}

// Whatever an agent says or asks for, it cannot look like what ambit says: no
// sequence of a terminal, no line of its own, also where a terminal breaks lines.
func TestNoTicketFakesADialog(t *testing.T) {
	for _, color := range []bool{false, true} {
		for _, text := range hostile {
			arguments, err := rationale.Marshal(&rationale.Lifecycle{ID: text, At: time.Unix(0, 0)}) // any JSON with the text
			require.NoError(t, err)
			d := &rationale.Decision{
				ID: "0193", At: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), Arguments: arguments,
				Agent: rationale.Agent{ID: text, OnBehalfOf: text}, Tool: rationale.Tool{Name: text}, Class: "refund",
				Checks:    []rationale.Check{{Kind: rationale.CheckBound, ID: "bounds[0]", Result: rationale.Passed, Message: text, Inputs: []rationale.Input{{Path: "args.note", Value: arguments}}}},
				Ticket:    &rationale.Ticket{By: []string{"group:leads"}, Quorum: 1, Expires: time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)},
				Rationale: &rationale.Rationale{Purpose: text, Expected: text, Alternatives: []rationale.Alternative{{Option: text, Rejected: text}}, Text: text},
			}
			var out bytes.Buffer
			in := &terminal{out: &out, color: color}
			in.tickets([]desk.Ticket{{Pending: rationale.Pending{Decision: d}, WhyNot: text}}, text)
			lines := strings.Split(out.String(), "\n")
			claimed := false
			for i, line := range lines {
				for _, r := range painted.ReplaceAllString(line, "") {
					assert.True(t, unicode.IsPrint(r), "%q", line)
				}
				if i < len(lines)-2 { // the last says what to do, and the folder is the person's own
					assert.LessOrEqual(t, columns(line), foldWidth, "%q", line)
				}
				assert.False(t, strings.HasPrefix(line, "  you ") && strings.Contains(line, "can approve it, and"), "%q", line)
				claimed = claimed || strings.Contains(line, "the agent's claim (untrusted text)")
				if claimed && strings.HasPrefix(line, "    ") {
					assert.True(t, strings.HasPrefix(line, "    "+claimMark), "%q", line)
				}
			}
			assert.True(t, claimed)
		}
	}
}

// Folding loses nothing, and marks each part but the first.
func TestFold(t *testing.T) {
	assert.Equal(t, "  short\n", fold("  short\n"))
	long := "  label  " + strings.Repeat("x", 100) + "\n"
	assert.Equal(t, "  label  "+strings.Repeat("x", 70)+"\n    ┊ "+strings.Repeat("x", 30)+"\n", fold(long))
	words := "  label  " + strings.Repeat("x", 60) + " " + strings.Repeat("y", 20)
	assert.Equal(t, "  label  "+strings.Repeat("x", 60)+" \n    ┊ "+strings.Repeat("y", 20), fold(words))
	for i, text := range hostile {
		line := strings.Repeat(" ", i%6) + rationale.Printable(text)
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		mark := indent + "  ┊ "
		if strings.HasPrefix(line[len(indent):], claimMark) {
			mark = indent + claimMark + "  "
		}
		back, rest, _ := strings.Cut(fold(line), "\n")
		for part := range strings.SplitSeq(rest, "\n") {
			if rest == "" {
				break
			}
			require.True(t, strings.HasPrefix(part, mark), "%q has no mark", part)
			assert.LessOrEqual(t, columns(part), foldWidth, "%q", part)
			back += strings.TrimPrefix(part, mark)
		}
		assert.Equal(t, line, back)
	}
}
