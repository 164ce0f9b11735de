package pgledger

import "context"

// WithContention makes the first step in turn, as if another replica had been faster before.
func WithContention() Option { return func(l *log) { l.contended = true } }

// Moved returns a channel that is closed when the state of a ledger moves on.
func Moved(l *Ledger) <-chan struct{} {
	l.log.mu.Lock()
	defer l.log.mu.Unlock()
	return l.log.moved
}

// Refresh takes in what others have appended.
func Refresh(ctx context.Context, l *Ledger) error {
	moved := Moved(l)
	p, err := l.log.db.tail(ctx, l.log.end().Seq)
	if err != nil || p.head == l.log.end() {
		return err
	}
	l.log.tell(0)
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
