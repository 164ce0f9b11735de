package rationale

import (
	"bufio"
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Envelope is a record in its place in a journal: beside the canonical body
// stand the journal's id, the position, and the digest of the line before, so
// that the body is the same wherever the record is kept.
type Envelope struct {
	Journal string             `json:"journal"`
	Seq     uint64             `json:"seq"`  // from 1, without gaps
	Prev    string             `json:"prev"` // the [Envelope.Hash] of the line before; empty for the first
	Body    stdjson.RawMessage `json:"body"` // as [Marshal] writes it
}

// Line returns the envelope's canonical encoding, without a newline.
func (e Envelope) Line() ([]byte, error) {
	w := newWriter()
	defer w.release()
	if w.envelope(&e); !w.failed {
		return bytes.Clone(w.out), nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	return Canonicalize(line)
}

// envelope appends the envelope's canonical encoding. One without a body is left
// to the general way.
func (w *writer) envelope(e *Envelope) {
	w.raw("{")
	w.key("body")
	w.document(e.Body)
	w.member("journal", e.Journal)
	w.member("prev", e.Prev)
	w.key("seq")
	w.out = strconv.AppendUint(w.out, e.Seq, 10)
	w.raw("}")
}

// Hash returns the [Digest] of the envelope's line: what the next one carries
// as Prev. It covers journal, position, predecessor and body.
func (e Envelope) Hash() (string, error) {
	line, err := e.Line()
	if err != nil {
		return "", err
	}
	return Digest(line), nil
}

// Head is the end of a chain so far. Whoever keeps a head elsewhere can tell
// that the chain was cut behind it or rewritten, which the chain alone cannot.
type Head struct {
	Journal string `json:"journal"`
	Seq     uint64 `json:"seq"`  // of the last line; 0: there is none
	Hash    string `json:"hash"` // of the last line; empty: there is none
}

// Chain writes the lines of one journal. It is not safe for concurrent use.
type Chain struct{ head Head }

// NewChain starts the chain of a new journal.
func NewChain(journal string) *Chain { return &Chain{Head{Journal: journal}} }

// ResumeChain continues the chain of a journal after its head.
func ResumeChain(head Head) *Chain { return &Chain{head} }

// Head returns the end of the chain.
func (c *Chain) Head() Head { return c.head }

// Append returns the record's line, with its newline, and moves the head. After
// an error the chain is as before.
func (c *Chain) Append(rec Record) ([]byte, error) {
	body, err := Marshal(rec)
	if err != nil {
		return nil, err
	}
	if !utf8.ValidString(c.head.Journal) {
		return nil, errors.New("encode envelope: the journal's id is not valid UTF-8")
	}
	return c.AppendBody(nil, body), nil
}

// AppendBody is [Chain.Append] of a record that is encoded already, by [Marshal]:
// the encoding, which costs the most, need not wait for the record's place. It
// appends the line to dst. The journal's id must be valid UTF-8.
func (c *Chain) AppendBody(dst, body []byte) []byte {
	start := len(dst)
	dst = append(append(slices.Grow(dst, len(body)+lineRoom), linePrefix...), body...)
	dst = c.head.follow(dst)
	c.head.Seq, c.head.Hash = c.head.Seq+1, Digest(dst[start:])
	return append(dst, '\n')
}

// Follow checks that a line, without its newline, is the next one of the chain,
// moves the head and returns the line's body, which shares its memory. Unlike
// [Verifier.Next] it does not check that the body is canonical JSON. After an
// error, a *[ChainError] without a line number, the chain is as before.
func (c *Chain) Follow(line []byte) ([]byte, error) {
	if body, ok := c.follow(line); ok {
		return body, nil
	}
	v := Verifier{head: c.head}
	if _, err := v.Next(line); err != nil {
		return nil, err
	}
	return nil, &ChainError{Problem: ChainEdited, Detail: "the line is not in canonical form"}
}

func (c *Chain) follow(line []byte) ([]byte, bool) {
	var room [lineRoom]byte
	body, ok := bytes.CutSuffix(line, c.head.follow(room[:0]))
	if ok {
		body, ok = bytes.CutPrefix(body, []byte(linePrefix))
	}
	if ok {
		c.head.Seq, c.head.Hash = c.head.Seq+1, Digest(line)
	}
	return body, ok
}

// The canonical form of an envelope sorts its members: body, journal, prev, seq.
const linePrefix = `{"body":`

// lineRoom is what stands around the body, with a UUID for the journal's id and
// the newline, at most.
const lineRoom = 192

// follow appends what stands behind the body in the line after the head.
func (h Head) follow(dst []byte) []byte {
	dst = append(dst, `,"journal":`...)
	if plainASCII(h.Journal) == len(h.Journal) { // as every UUID
		dst = append(append(append(dst, '"'), h.Journal...), '"')
	} else if journal, err := jsontext.AppendQuote(dst, h.Journal); err == nil {
		dst = journal
	} else {
		dst = append(dst, `""`...) // what is not valid UTF-8 is the id of no line
	}
	dst = append(append(append(dst, `,"prev":"`...), h.Hash...), `","seq":`...)
	return append(strconv.AppendUint(dst, h.Seq+1, 10), '}')
}

// ChainProblem says how a line breaks its chain.
type ChainProblem string

const (
	ChainMalformed ChainProblem = "malformed" // the line is no envelope
	ChainEdited    ChainProblem = "edited"    // the line is not canonical, or the line before is not the one it was chained to
	ChainGap       ChainProblem = "gap"       // lines are missing before this one
	ChainOrder     ChainProblem = "order"     // the line was moved or repeated
	ChainForeign   ChainProblem = "foreign"   // the line belongs to another journal
	ChainTorn      ChainProblem = "torn"      // the last line has no end: the writer stopped in the middle of it
)

// ChainError says where a chain breaks, and how.
type ChainError struct {
	Line    int // from 1
	Problem ChainProblem
	Detail  string // one line, for people
	Err     error  // the cause, where there is one
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("line %d: chain broken (%s): %s", e.Line, e.Problem, e.Detail)
}

func (e *ChainError) Unwrap() error { return e.Err }

// Verifier checks the lines of one journal in order. The zero Verifier accepts
// any journal's first line. It is not safe for concurrent use.
type Verifier struct {
	head  Head
	lines int
	lost  bool // the line before could not be read: there is nothing to compare with
}

// ResumeVerifier checks the lines after a head.
func ResumeVerifier(head Head) *Verifier { return &Verifier{head: head} }

// Head returns the last line that was accepted or resumed from.
func (v *Verifier) Head() Head { return v.head }

// Skip says that lines before the next one could not be read and that this is
// known: the next line is compared with nothing.
func (v *Verifier) Skip() { v.lost = true }

// Next checks one line, without its newline, and returns its envelope. An error
// is a *[ChainError]. Unless the problem is ChainMalformed the envelope is returned
// beside the error, and the chain resumes from the line, so that one edit is
// reported once and what follows is still checked.
func (v *Verifier) Next(line []byte) (Envelope, error) {
	v.lines++
	if e, ok := v.expected(line); ok {
		return e, nil
	}
	var e Envelope
	if err := json.Unmarshal(line, &e, json.RejectUnknownMembers(true)); err != nil {
		v.lost = true
		return Envelope{}, &ChainError{v.lines, ChainMalformed, "not an envelope", err}
	}
	canonical, err := e.Line()
	if err != nil {
		v.lost = true
		return Envelope{}, &ChainError{v.lines, ChainMalformed, "not an envelope", err}
	}
	same := bytes.Equal(canonical, line)
	err = v.compare(e, same)
	// The line after a rewritten one is chained to bytes that are gone.
	v.head, v.lost = Head{e.Journal, e.Seq, Digest(line)}, !same
	return e, err
}

// expected takes the line that should follow, in canonical form, without taking
// its envelope apart.
func (v *Verifier) expected(line []byte) (Envelope, bool) {
	if v.lost || v.head.Journal == "" {
		return Envelope{}, false
	}
	chain := Chain{v.head}
	body, ok := chain.follow(line)
	if !ok {
		return Envelope{}, false
	}
	canonical, err := Canonicalize(body)
	if err != nil || !bytes.Equal(canonical, body) {
		return Envelope{}, false
	}
	e := Envelope{Journal: v.head.Journal, Seq: v.head.Seq + 1, Prev: v.head.Hash, Body: canonical}
	v.head = chain.head
	return e, true
}

func (v *Verifier) compare(e Envelope, canonical bool) error {
	broken := func(p ChainProblem, format string, args ...any) error {
		return &ChainError{Line: v.lines, Problem: p, Detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case !canonical:
		return broken(ChainEdited, "the line is not in canonical form")
	case v.lost:
		return nil
	case v.head.Journal != "" && e.Journal != v.head.Journal:
		return broken(ChainForeign, "journal %s instead of %s", Printable(e.Journal), Printable(v.head.Journal))
	case e.Seq > v.head.Seq+1:
		return broken(ChainGap, "position %d follows %d", e.Seq, v.head.Seq)
	case e.Seq < v.head.Seq+1:
		return broken(ChainOrder, "position %d follows %d", e.Seq, v.head.Seq)
	case e.Prev != v.head.Hash:
		return broken(ChainEdited, "the line before it (position %d) is not the one it was chained to", v.head.Seq)
	}
	return nil
}

// VerifyChain reads the lines of one journal and returns its end. The first
// break is returned as a *[ChainError], beside the last good head; other errors
// are those of r. An empty journal is good. A cut behind the last line is not
// visible: compare the head with one kept elsewhere.
func VerifyChain(r io.Reader) (Head, error) {
	var v Verifier
	good := v.Head()
	for line, err := range Lines(r) {
		if torn, ok := errors.AsType[*ChainError](err); ok {
			return good, torn
		}
		if err != nil {
			return good, err
		}
		if _, err := v.Next(line); err != nil {
			return good, err
		}
		good = v.Head()
	}
	return good, nil
}

// Lines splits a journal into lines, without their newlines. A last line without
// a newline is yielded together with a *[ChainError] of ChainTorn, an error of r
// alone; both end it. A line is valid until the next one.
func Lines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		in := bufio.NewReader(r)
		for n := 1; ; n++ {
			line, err := in.ReadBytes('\n')
			switch {
			case err == io.EOF && len(line) == 0:
				return
			case err == io.EOF:
				yield(line, &ChainError{Line: n, Problem: ChainTorn, Detail: fmt.Sprintf("%d bytes without an end of line", len(line))})
				return
			case err != nil:
				yield(nil, err)
				return
			case !yield(line[:len(line)-1], nil):
				return
			}
		}
	}
}
