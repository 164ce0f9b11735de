package simulate

import (
	"context"
	"sync"
)

// Many makes so many histories of a seed, some at the same time, and returns what
// happened in them. It ends at the first that fails, and returns its plan with the
// error. Progress is called with the number of those that are done.
func Many(ctx context.Context, seed uint64, n, workers int, progress func(done int)) (Counts, *Plan, error) {
	m := many{seed: seed, n: n, progress: progress}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for p := m.next(ctx); p != nil; p = m.next(ctx) {
				counts, err := Run(p)
				m.done(p, counts, err)
			}
		})
	}
	group.Wait()
	progress(n)
	if m.failed == nil {
		m.err = context.Cause(ctx)
	}
	return m.sum, m.failed, m.err
}

type many struct {
	seed     uint64
	n        int
	progress func(int)

	mu     sync.Mutex
	begun  int
	sum    Counts
	failed *Plan
	err    error
}

func (m *many) next(ctx context.Context) *Plan {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.begun >= m.n || m.failed != nil || ctx.Err() != nil {
		return nil
	}
	m.begun++
	return NewPlan(m.seed, m.begun-1)
}

func (m *many) done(p *Plan, counts Counts, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum.add(counts)
	m.progress(min(m.sum.Histories, m.n-1))
	if err != nil && (m.failed == nil || p.History < m.failed.History) {
		m.failed, m.err = p, err
	}
}
