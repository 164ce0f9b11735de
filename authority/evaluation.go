package authority

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
	"github.com/ambit-go/ambit/rationale"
)

// Evaluation is the verdict on a call, and what it rests on.
type Evaluation struct {
	Verdict  rationale.Verdict
	Tier     classify.Tier // effective
	Standing rationale.Standing
	Class    string             // empty where none was found
	Reasons  []rationale.Reason // in the order of [rationale.Reasons]
}

// Evaluate returns the verdict that [Set.Classify] and [Set.Assess] come to for
// the call with the same input, and records nothing: what they do beside it is
// left out. A call that is allowed costs no allocation of its own. It never
// panics; nil Sets deny.
//
// The facts are supplied beforehand here, so a host that calls it has them at
// hand whatever the class.
func (s *Set) Evaluate(call Call, in Input) Evaluation {
	e := begin(s, &call)
	e.classify()
	e.assess(in)
	c := e.tally.Conclude()
	v := Evaluation{Verdict: c.Verdict, Tier: e.tally.Tier, Standing: e.tally.Standing, Class: e.class(), Reasons: c.Reasons}
	e.release()
	return v
}

// evaluation is one pass of a call through the rules. It is used again and
// again: nothing that outlives the pass may refer to its memory.
type evaluation struct {
	set  *Set
	call Call
	in   Input
	pass

	frame      celplan.Frame
	marks      []mark // the checks, where a record is wanted
	derived    []derivedState
	facts      []factState // as the plan's
	candidates []classify.Candidate
	asked      []*plan // the candidates'
	values     []strictjson.Value
	own        []byte // for args, where nobody keeps them
	record     recordMemory
}

// pass is what an evaluation finds out.
type pass struct {
	records bool // a record is wanted, and what only it needs
	shadow  bool // expressions run on both paths
	broken  bool // something panicked: not to be used again
	cleared bool // every prohibited class that competes was asked, and none holds

	keep *recordPolicy // what the record may have

	failed   failure // why there is no class
	pins     pinned
	failedAt *plan   // whose condition failed
	err      error   // of the failure
	also     []*plan // that hold, where several do
	panicked string  // in the assessment

	tool      *tool
	plan      *plan // nil: no class was found
	args      []byte
	tree      strictjson.Value // of all arguments, where a path needs it
	tally     rationale.Tally
	stretch   *stretch
	price     priced
	rationale *rationale.RationaleCheck
}

// mark is a check and how it came out, from which its record is made.
type mark struct {
	kind   markKind
	index  int32 // of the rule among its kind
	to     classify.Tier
	result rationale.CheckResult
	reason rationale.Reason
	err    error
}

type markKind uint8

const (
	markActive markKind = iota
	markStanding
	markModel // and the two others that can be pinned, as pinned has them
	markPrompt
	markTool
	markAction
	markAllow
	markBound
	markTrigger
	markPrice
	markBand
	markRationale
	markPanic
)

// derivedState is a derived value of the call; err says why there is none.
type derivedState struct {
	name  string
	value strictjson.Value
	err   error
}

var evaluations = sync.Pool{New: func() any { return new(evaluation) }}

func begin(s *Set, call *Call) *evaluation {
	e := evaluations.Get().(*evaluation)
	e.set, e.call = s, *call
	if s != nil && s.options.shadow > 0 {
		e.shadow = s.options.shadow >= 1 || rand.Float64() < s.options.shadow
	}
	return e
}

// maxKept bounds the arguments, in bytes, of an evaluation whose memory is kept
// for the next: one huge call must not hold its memory for good.
const maxKept = 64 << 10

// release gives the evaluation's memory back. Nothing may refer to it any more.
func (e *evaluation) release() {
	if e.broken || max(len(e.args), cap(e.own), cap(e.record.json)) > maxKept {
		return
	}
	e.frame.End()
	empty(&e.marks)
	empty(&e.derived)
	empty(&e.facts)
	empty(&e.candidates)
	empty(&e.asked)
	empty(&e.values)
	e.own = e.own[:0]
	e.pass, e.in, e.set = pass{}, Input{}, nil
	e.call.Arguments, e.call.Derive = nil, nil
	evaluations.Put(e)
}

// empty makes memory ready for the next pass, which must not keep alive what
// this one referred to.
func empty[T any](used *[]T) {
	if len(*used) > 0 {
		clear(*used)
		*used = (*used)[:0]
	}
}

func (e *evaluation) class() string {
	if e.plan == nil {
		return ""
	}
	return e.plan.class.ID.Value
}

// mark counts a check, and keeps what its record is made from.
func (e *evaluation) mark(m mark) {
	e.tally.Add(m.result, m.reason, m.to)
	if e.records {
		e.marks = append(e.marks, m)
	}
}

// passed keeps what the record of a check is made from that did not find
// anything.
func (e *evaluation) passed(kind markKind, index int) {
	if e.records {
		e.marks = append(e.marks, mark{kind: kind, index: int32(index), result: rationale.Passed})
	}
}

// caught makes a panic of the assessment a check that failed: whatever was
// found until then stands, and the call is denied.
func (e *evaluation) caught(r any) {
	e.broken = true
	e.panicked = fmt.Sprintf("the assessment panicked: %v", r)
	e.tally.Mode = rationale.Enforce
	e.mark(mark{kind: markPanic, result: rationale.Errored, reason: rationale.EvaluationError})
}
