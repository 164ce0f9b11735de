package desk

import (
	"context"
	"path/filepath"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Over returns the ledger of one process, which has a journal.
func Over(l *ledger.Memory) Ledger { return memory{l, l.Journal().Now} }

// OverShared returns a ledger on a log that processes share, whose clock now is.
func OverShared(l *ledger.Memory, now func() time.Time) Ledger { return memory{l, now} }

type memory struct {
	*ledger.Memory
	now func() time.Time
}

func (m memory) Now(context.Context) (time.Time, error) { return m.now(), nil }

func (m memory) Tickets(context.Context) ([]rationale.Pending, error) {
	return m.Memory.Tickets(m.now()), nil
}

func (m memory) Reviews(context.Context) ([]*rationale.Decision, error) {
	return m.Memory.Reviews(), nil
}

func (m memory) Held(context.Context) ([]ledger.Held, error) {
	return m.Memory.Held(m.now()), nil
}

func (m memory) Settle(ctx context.Context, s *rationale.Settlement) error {
	s.Kind, s.At = rationale.KindSettlement, m.now()
	s.ID = rationale.NewID(s.At)
	return m.Memory.Settle(ctx, s)
}

func (m memory) Budgets(context.Context) ([]ledger.Budget, error) {
	return m.Memory.Budgets(m.now()), nil
}

func (m memory) Suspensions(context.Context) ([]*rationale.Lifecycle, error) {
	return m.Memory.Suspensions(), nil
}

func (m memory) Suspend(ctx context.Context, what rationale.Suspension, by, why string) error {
	return m.Memory.Suspend(ctx, what, by, why, time.Time{})
}

func (m memory) Resume(ctx context.Context, what rationale.Suspension, by, why string) error {
	return m.Memory.Resume(ctx, what, by, why, time.Time{})
}

func (m memory) Unanswered(context.Context) ([]ledger.UnansweredAudit, error) {
	return m.UnansweredAudits(), nil
}

func (m memory) Audited(ctx context.Context, result rationale.Audit, from, until time.Time, by string) (string, error) {
	return m.Memory.Audited(ctx, result, from, until, by, time.Time{})
}

func (m memory) AnswerAudit(ctx context.Context, audit, by, why string) error {
	return m.Memory.AnswerAudit(ctx, audit, by, why, time.Time{})
}

func (m memory) Documents(context.Context) ([]*rationale.Lifecycle, error) {
	return m.Memory.Documents(), nil
}

func (m memory) Subjects() (*journal.SubjectReader, error) {
	if m.Journal() == nil {
		return nil, nil
	}
	return journal.OpenSubjects(filepath.Join(m.Journal().Dir(), journal.SubjectsFolder)).Reader()
}
