package ledger

import "context"

// Wait returns nil once there is something to come of presenting a ticket: its
// quorum has approved, somebody has denied it, it was used or replaced, or it is not
// known, as one that was forgotten is not. It does not watch the ticket's expiry. When ctx
// ends before, it returns the cause. It asks nothing again and again: who records
// the answer wakes it.
func (m *Memory) Wait(ctx context.Context, ticket string) error {
	answered := m.answeredOf(ticket)
	if answered == nil {
		return nil
	}
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// answeredOf returns what is closed when a ticket is answered; nil: it is not open.
func (m *Memory) answeredOf(id string) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tickets.byID[id]
	if t == nil || t.Closed() || t.Approved() != nil {
		return nil
	}
	if m.tickets.waited[id] == nil {
		m.tickets.waited[id] = make(chan struct{})
	}
	return m.tickets.waited[id]
}

// wake ends the waiting for a ticket. It is called with the lock held.
func (s *tickets) wake(id string) {
	if c := s.waited[id]; c != nil {
		close(c)
		delete(s.waited, id)
	}
}
