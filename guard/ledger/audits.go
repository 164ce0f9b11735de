package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// Bounds on what is kept of one authorization: of more audits that wait for an
// answer, those that found most, and of more stretches of time, the latest.
const (
	maxUnanswered = 256
	maxStretches  = 64
)

// audits are what was audited of each authorization.
type audits map[string]*audited

type audited struct {
	Covered    []stretch    `json:"covered"` // by audits; in order, none touches the next
	Unanswered []unanswered `json:"unanswered,omitempty"`
}

// stretch is a time that audits cover without a gap.
type stretch struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// unanswered is an audit that found acts for which nobody has answered.
type unanswered struct {
	Audit string `json:"audit"`
	Found int    `json:"found"`
}

// apply takes in the record of an audit, or of an answer to one.
func (s audits) apply(l *rationale.Lifecycle) {
	switch {
	case l.Event == rationale.EventAudited && l.Audit != nil:
		a := s[l.Audit.Authorization]
		if a == nil {
			a = new(audited)
			s[l.Audit.Authorization] = a
		}
		a.cover(stretch{l.From, l.Until})
		if n := l.Audit.Found(); n > 0 && !a.waits(l.ID) {
			a.Unanswered = append(a.Unanswered, unanswered{l.ID, n})
		}
		if len(a.Unanswered) > maxUnanswered {
			least := slices.MinFunc(a.Unanswered, func(x, y unanswered) int { return cmp.Compare(x.Found, y.Found) })
			a.answer(least.Audit)
		}
	case l.Event == rationale.EventAnswered:
		for _, a := range s {
			a.answer(l.Answers)
		}
	}
}

func (a *audited) waits(audit string) bool {
	return slices.ContainsFunc(a.Unanswered, func(u unanswered) bool { return u.Audit == audit })
}

func (a *audited) answer(audit string) {
	a.Unanswered = slices.DeleteFunc(a.Unanswered, func(u unanswered) bool { return u.Audit == audit })
}

// cover takes in that an audit covers a stretch.
func (a *audited) cover(s stretch) {
	var covered []stretch
	for _, c := range a.Covered {
		if c.Until.Before(s.From) || s.Until.Before(c.From) {
			covered = append(covered, c)
			continue
		}
		if c.From.Before(s.From) {
			s.From = c.From
		}
		if c.Until.After(s.Until) {
			s.Until = c.Until
		}
	}
	covered = append(covered, s)
	slices.SortFunc(covered, func(x, y stretch) int { return x.From.Compare(y.From) })
	a.Covered = covered[max(0, len(covered)-maxStretches):]
}

// since returns until when audits cover all that came after a grant.
func (a *audited) since(granted time.Time) time.Time {
	for _, c := range a.Covered {
		if !c.From.After(granted) && c.Until.After(granted) {
			return c.Until
		}
	}
	return granted
}

// brake makes a class wait for people while the audit of its authorization is
// overdue, or found more than it may and nobody has answered.
func (s audits) brake(d *rationale.Decision, at time.Time) {
	if d.Terms.AuditEvery <= 0 || d.Authorization == nil {
		return
	}
	check := rationale.Check{
		Kind: rationale.CheckBrake, Result: rationale.Raised, Reason: rationale.AuditDebt, To: classify.AuthorizationRequired,
	}
	since, of := d.Authorization.GrantedAt, s[d.Authorization.ID]
	if of != nil {
		since = of.since(since)
		for _, u := range of.Unanswered {
			if u.Found > d.Terms.MaxUnexplained {
				check.ID = "audit.max_unexplained"
				check.Message = fmt.Sprintf("audit %s found %d acts that no record explains, more than %d, and nobody has answered", u.Audit, u.Found, d.Terms.MaxUnexplained)
				d.Checks = append(d.Checks, check)
				break
			}
		}
	}
	if due := since.Add(d.Terms.AuditEvery); at.After(due) {
		check.ID = "audit.every"
		check.Message = fmt.Sprintf("an audit of the time from %s on has been due since %s", since.UTC().Format(time.RFC3339), due.UTC().Format(time.RFC3339))
		d.Checks = append(d.Checks, check)
	}
}

// Audited records the result of an audit of the time from from until until, which is
// over by now. It counts at once: a class is free again once audits cover all the
// time since its authorization was granted, but for the last of it that the
// authorization allows; one of which more was found than that allows waits for people
// until [Memory.AnswerAudit].
// By says who or what made it. It returns the id of the audit. A result that cannot be
// one is [ErrRefused]. The zero at is now, as for [Memory.Answer].
func (m *Memory) Audited(ctx context.Context, result rationale.Audit, from, until time.Time, by string, at time.Time) (id string, err error) {
	l := &rationale.Lifecycle{
		Kind: rationale.KindLifecycle, At: at, Event: rationale.EventAudited, From: from, Until: until, Audit: &result,
		By: rationale.Clip(rationale.Printable(by), 256),
	}
	err = m.commit(ctx, &auditing{m, l})
	return l.ID, err
}

// AnswerAudit records that a person answers for what an audit found, and why. An
// audit that nobody waits for, an answer without by or why, is [ErrRefused]. Who may
// answer is the caller's to say.
func (m *Memory) AnswerAudit(ctx context.Context, audit, by, why string, at time.Time) error {
	return m.commit(ctx, &auditing{m, &rationale.Lifecycle{
		Kind: rationale.KindLifecycle, At: at, Event: rationale.EventAnswered, Answers: audit,
		By: rationale.Clip(rationale.Printable(by), 256), Message: rationale.Clip(rationale.Printable(why), 2048),
	}})
}

// auditing is the step that an audit makes, or an answer to one.
type auditing struct {
	*Memory
	l *rationale.Lifecycle
}

func (s *auditing) take() (recs []rationale.Record, expendable bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.l
	if err := s.reached(l.At); err != nil {
		return nil, false, err
	}
	s.identify(&l.ID, &l.At)
	switch {
	case s.audits == nil:
		err = fmt.Errorf("%w: the zero Memory records nothing", ErrRefused)
	case strings.TrimSpace(l.By) == "":
		err = fmt.Errorf("%w: the record needs who made the audit, or answers for it", ErrRefused)
	case l.Audit != nil:
		if cause := l.Audit.Validate(l.From, l.Until, s.asOf(l.At)); cause != nil {
			err = fmt.Errorf("%w: %w", ErrRefused, cause)
		}
	case strings.TrimSpace(l.Message) == "":
		err = fmt.Errorf("%w: an answer for what an audit found says why", ErrRefused)
	case !s.audits.wait(l.Answers):
		err = fmt.Errorf("%w: no audit %s waits for an answer", ErrRefused, rationale.Printable(l.Answers))
	}
	return []rationale.Record{l}, false, err
}

func (s *auditing) undo(bool) {}

func (s audits) wait(audit string) bool {
	for a := range maps.Values(s) {
		if a.waits(audit) {
			return true
		}
	}
	return false
}

func (s audits) save() map[string]audited {
	saved := make(map[string]audited, len(s))
	for id, a := range s {
		saved[id] = *a
	}
	return saved
}

// UnansweredAudit is an audit that found acts for which nobody has answered.
type UnansweredAudit struct {
	Audit         string // its id
	Authorization string
	Found         int // acts that are unexplained, or beyond what was decided
}

// UnansweredAudits returns the audits that wait for an answer, by authorization.
func (m *Memory) UnansweredAudits() []UnansweredAudit {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []UnansweredAudit
	for _, id := range slices.Sorted(maps.Keys(m.audits)) {
		for _, u := range m.audits[id].Unanswered {
			all = append(all, UnansweredAudit{u.Audit, id, u.Found})
		}
	}
	return all
}
