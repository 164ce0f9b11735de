package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// maxReviewBytes bounds the records of the reviews that are owed, as encoded.
const maxReviewBytes = 16 << 20

// reviews are those that are owed. None is ever forgotten: where there is no more
// room, calls that could owe another wait for people.
type reviews struct {
	due     deadlines
	untold  deadlines // of due, those that nobody was told are overdue
	byID    map[string]*owed
	classes map[classOf][]time.Time // their due dates, in order
	bytes   int
}

type owed struct {
	decision *rationale.Decision // its essence
	size     int
	lease    time.Time // until when its outcome is expected
}

// classOf names a class in all versions of its authorization.
type classOf struct{ authorization, class string }

func classKey(d *rationale.Decision) classOf {
	key := classOf{class: d.Class}
	if d.Authorization != nil {
		key.authorization = d.Authorization.ID
	}
	return key
}

func newReviews() reviews {
	return reviews{due: newDeadlines(), untold: newDeadlines(), byID: make(map[string]*owed), classes: make(map[classOf][]time.Time)}
}

func (s *reviews) full() bool { return len(s.byID) >= maxReviews || s.bytes >= maxReviewBytes }

func (s *reviews) open(d *rationale.Decision, segment uint64) {
	if d.Review == nil || s.byID[d.ID] != nil {
		return
	}
	lease := leased(d)
	d = essence(d)
	o := &owed{d, sizeOf(d), lease}
	s.byID[d.ID] = o
	s.bytes += o.size
	s.due.add(deadline{id: d.ID, at: d.Review.Due, segment: segment})
	s.untold.add(deadline{id: d.ID, at: d.Review.Due})
	key, due := classKey(d), d.Review.Due
	i, _ := slices.BinarySearchFunc(s.classes[key], due, time.Time.Compare)
	s.classes[key] = slices.Insert(s.classes[key], i, due)
}

func (s *reviews) close(id string) {
	o := s.byID[id]
	if o == nil {
		return
	}
	s.bytes -= o.size
	delete(s.byID, id)
	s.due.remove(id)
	s.untold.remove(id)
	key := classKey(o.decision)
	if i, ok := slices.BinarySearchFunc(s.classes[key], o.decision.Review.Due, time.Time.Compare); ok {
		s.classes[key] = slices.Delete(s.classes[key], i, i+1)
	}
	if len(s.classes[key]) == 0 {
		delete(s.classes, key)
	}
}

// overdue counts the reviews of a class that are due at a time.
func (s *reviews) overdue(key classOf, at time.Time) int {
	n, _ := slices.BinarySearchFunc(s.classes[key], at, func(due, at time.Time) int {
		if due.After(at) {
			return 1
		}
		return -1
	})
	return n
}

// brake makes a class wait for people while too many of its reviews are overdue,
// and every class that could owe another review while there is no room for one.
func (s *reviews) brake(d *rationale.Decision, at time.Time) {
	if len(s.byID) == 0 {
		return
	}
	check := rationale.Check{
		Kind: rationale.CheckBrake, ID: "review.max_overdue", Result: rationale.Raised,
		Reason: rationale.ReviewDebt, To: classify.AuthorizationRequired,
	}
	switch n := s.overdue(classKey(d), at); {
	case n > d.Terms.MaxOverdue:
		check.Message = fmt.Sprintf("%d reviews of the class are overdue, more than %d", n, d.Terms.MaxOverdue)
	case s.full() && len(d.Terms.ReviewBy) > 0:
		check.Message = "too many reviews are owed"
	default:
		return
	}
	d.Checks = append(d.Checks, check)
}

// Reviews returns the decisions that owe a review, the next to fall due first:
// who asked for what, on whose authority, at what price, and who is to review it until
// when. What else they say is in the records, under their ids. What they refer to
// is shared and must not be changed.
func (m *Memory) Reviews() []*rationale.Decision {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*rationale.Decision, 0, len(m.reviews.byID))
	for _, w := range m.reviews.due.list() {
		all = append(all, m.reviews.byID[w.Decision].decision)
	}
	return all
}

// Review records one person's judgement of an action that owes a review, which
// ends what it owes, whatever the finding. The caller gives Decision, By, Finding, Why
// and Action, where By is what its own verified login says; ID and At are made as
// for [Memory.Answer]. A review that does not count is [ErrRefused], and is not
// recorded. With any other error it is still owed, unless it is
// [journal.ErrUncertain]: nobody knows then.
//
// While the outcome of the action is expected, there is nothing to judge yet. Once its
// lease has ended without one, the action is judged as it is: a tool that hangs keeps
// no class braked.
func (m *Memory) Review(ctx context.Context, r *rationale.Review) error {
	if r == nil || m.audits == nil {
		return errors.New("ledger: there is no review, or nothing to review")
	}
	return m.answer(ctx, r.At, &reviewing{m, r})
}

// reviewing is the step that a review makes. There is one at a time.
type reviewing struct {
	*Memory
	r *rationale.Review
}

func (v *reviewing) take() (recs []rationale.Record, expendable bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.r
	v.identify(&r.ID, &r.At)
	r.Kind = rationale.KindReview
	o := v.reviews.byID[r.Decision]
	switch {
	case o == nil:
		err = errors.New("none is owed: it was reviewed, or never asked for")
	case v.open.get(r.Decision) != nil && !v.later(v.asOf(r.At)).After(o.lease):
		err = fmt.Errorf("the action has no outcome yet, and it may come until %s", o.lease.UTC().Format(time.RFC3339))
	default:
		err = o.decision.Reviewed(r)
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w: review of decision %s: %w", ErrRefused, rationale.Printable(r.Decision), err)
	}
	return []rationale.Record{r}, false, nil
}

func (v *reviewing) undo(bool) {}

// savedReview is a review that is owed, in a snapshot.
type savedReview struct {
	Decision json.RawMessage `json:"decision"`
	Segment  uint64          `json:"segment"`
}

func (s *reviews) save() ([]savedReview, error) {
	saved := make([]savedReview, 0, len(s.byID))
	for _, w := range s.due.list() {
		data, err := rationale.Marshal(s.byID[w.Decision].decision)
		if err != nil {
			return nil, err
		}
		saved = append(saved, savedReview{data, w.Segment})
	}
	return saved, nil
}

func (s *reviews) restore(saved []savedReview) error {
	*s = newReviews()
	for _, one := range saved {
		d, err := rationale.UnmarshalAs[*rationale.Decision](one.Decision)
		if err != nil {
			return err
		}
		if d.Review == nil {
			return fmt.Errorf("decision %s owes no review", rationale.Printable(d.ID))
		}
		s.open(d, one.Segment)
	}
	return nil
}

// Bounds of how often a class may give one rationale.
const (
	maxRationales = 4096 // that are counted; then counting begins again
	boilerplate   = 10   // each tenth time opens a review
)

// rationales counts how often calls of a class were allowed with one rationale.
type rationales map[string]int

// repeats reports whether the draft's rationale was given so often that this time
// opens a review.
func (s rationales) repeats(d *rationale.Decision) bool {
	if len(s) == 0 || len(d.Terms.ReviewBy) == 0 {
		return false
	}
	key := rationaleKey(d)
	return key != "" && (s[key]+1)%boilerplate == 0
}

func (s rationales) count(d *rationale.Decision) {
	key := rationaleKey(d)
	if key == "" || d.Verdict != rationale.Allow || d.Mode != rationale.Enforce {
		return
	}
	if _, known := s[key]; !known && len(s) >= maxRationales {
		clear(s)
	}
	s[key]++
}

// rationaleKey names a class and what a rationale says, in whatever case and
// however it is spaced; empty where it says nothing that can be read.
func rationaleKey(d *rationale.Decision) string {
	r := d.Rationale
	if r == nil || d.Effect == "read" || r.Purpose == "" && r.Expected == "" {
		return ""
	}
	class := classKey(d)
	text := make([]byte, 0, 512)
	for _, part := range []string{class.authorization, class.class, r.Purpose, r.Expected, r.Fallback, r.Uncertainty} {
		text = fold(text, part)
	}
	for _, a := range r.Alternatives {
		text = fold(fold(text, a.Option), a.Rejected)
	}
	return rationale.Digest(text)
}

// fold appends a text and a NUL, with ASCII letters in lower case, runs of spaces
// as one, and none at the ends.
func fold(dst []byte, text string) []byte {
	start, space := len(dst), false
	for i := range len(text) {
		c := text[i]
		if c == ' ' || '\t' <= c && c <= '\r' {
			space = true
			continue
		}
		if space && len(dst) > start {
			dst = append(dst, ' ')
		}
		if space = false; 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return append(dst, 0)
}

// savedRationale is a count in a snapshot.
type savedRationale struct {
	Key   string `json:"key"`
	Count int    `json:"count"`
}

func (s rationales) save() []savedRationale {
	saved := make([]savedRationale, 0, len(s))
	for key, n := range s {
		saved = append(saved, savedRationale{key, n})
	}
	slices.SortFunc(saved, func(a, b savedRationale) int { return cmp.Compare(a.Key, b.Key) })
	return saved
}

func (s rationales) restore(saved []savedRationale) {
	clear(s)
	for _, one := range saved {
		s[one.Key] = one.Count
	}
}
