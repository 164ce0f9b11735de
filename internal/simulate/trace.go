package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// trace is what everybody saw of a history: who asked for what, when, and what was
// answered; when processes began and ended; and the records that were found in the
// end. Moments are numbered from 1.
type trace struct {
	moments  int
	events   []*event
	lives    []*span
	troubles []*span // when disk or network failed, or a caller gave up
	records  []rationale.Record
	times    []time.Time // the shared log's, when it took each record
	log      []string    // what happened, for people
}

// span is the time of a process, or of a trouble. End 0: it has not ended.
type span struct {
	replica           int
	begin, ready, end int
	power             bool
	suspended         []string // when it began: the grounds of what is
}

// event is one operation.
type event struct {
	step  int // from 0
	do    Action
	life  int // from 1
	class int // of a call
	begin int
	end   int // 0: its process ended before it returned
	err   error

	draft  *rationale.Decision // as it was asked for, of a call
	d      *rationale.Decision // what became of it
	o      *rationale.Outcome
	a      *rationale.Approval
	r      *rationale.Review
	s      *rationale.Settlement
	gap    *rationale.Lifecycle
	what   rationale.Suspension
	why    string // of a suspension, or of its end
	at     time.Time
	latest time.Time // that the clock of the log, or of the journal, had ever said in the end
	skewed bool      // the clocks were too far apart for a shared log
	gaveUp bool      // its caller
}

// trouble notes that something failed from one moment to another; 0: still.
func (t *trace) trouble(begin, end int) {
	t.troubles = append(t.troubles, &span{begin: begin, end: end})
}

// troubledSince reports whether anything failed at a moment or after it.
func (t *trace) troubledSince(begin int) bool {
	return slices.ContainsFunc(t.troubles, func(s *span) bool { return s.end == 0 || s.end >= begin })
}

func (t *trace) say(format string, args ...any) {
	t.log = append(t.log, fmt.Sprintf(format, args...))
}

// Violation is a rule that a history broke.
type Violation struct {
	Rule   string
	Detail string
}

func (v *Violation) Error() string { return v.Rule + ": " + v.Detail }

func violated(rule, format string, args ...any) error {
	return &Violation{Rule: rule, Detail: fmt.Sprintf(format, args...)}
}

// errUncertain is the error of what may be recorded, or not.
var errUncertain = journal.ErrUncertain

// makes reports whether a record is the very one of an event.
func (e *event) makes(rec rationale.Record) bool {
	switch r := rec.(type) {
	case *rationale.Decision:
		return r == e.d
	case *rationale.Outcome:
		return r == e.o
	case *rationale.Approval:
		return r == e.a
	case *rationale.Review:
		return r == e.r
	case *rationale.Settlement:
		return r == e.s
	case *rationale.Lifecycle:
		return r == e.gap || r.Suspension != nil && r.Message == e.why
	}
	return false
}

// short is an id as people like to read it.
func short(id string) string {
	if i := strings.LastIndexByte(id, '-'); i >= 0 {
		return "#" + strings.TrimLeft(id[i+1:], "0")
	}
	return id
}
