package simulate

import (
	"context"
	"time"
)

// nodeHooks are how a history takes hold of a replica of a log.
type nodeHooks struct {
	h    *history
	life *life
}

func (k *nodeHooks) at(ctx context.Context, place string) error {
	t := taskOf(ctx)
	s := k.h.s
	if err := k.alive(); err != nil {
		return err
	}
	s.park(t, k.life, place)
	if now := k.life.node.Now(); now.After(k.h.latest) {
		k.h.latest = now // it will learn that the log's clock was set back
	}
	return k.alive()
}

func (k *nodeHooks) alive() error {
	k.h.s.mu.Lock()
	defer k.h.s.mu.Unlock()
	if k.life.dead {
		return errDead
	}
	return nil
}

func (k *nodeHooks) wait(ctx context.Context) {
	s := k.h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enter(taskOf(ctx), led)
}

func (k *nodeHooks) wake(ctx context.Context) {
	s := k.h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := taskOf(ctx); t.state == led {
		s.enter(t, running)
	}
}

func (k *nodeHooks) elapsed() time.Duration { return time.Duration(k.h.elapsed.Load()) }

// send delivers a request at once, unless the network is in trouble: then it can be
// lost, late or delivered twice, and so can its answer.
func (k *nodeHooks) send(r *request) (now time.Time, err error, answered bool) {
	h := k.h
	if !h.network {
		now, err = h.log.append(r)
		return now, err, true
	}
	switch h.r.IntN(8) {
	case 0: // the request is lost
		return now, nil, false
	case 1: // it arrives when nobody waits any more
		h.packets = append(h.packets, r)
		return now, nil, false
	case 2: // the answer is lost
		_, _ = h.log.append(r)
		return now, nil, false
	}
	now, err = h.log.append(r)
	if err == nil && h.r.IntN(4) == 0 { // it arrives twice
		h.packets = append(h.packets, r)
	}
	return now, err, true
}

// readLog lets what is still open get its outcome, and reads the log.
func (h *history) readLog() error {
	l := h.lives[0]
	if err := l.node.pull(); err != nil {
		return violated("a replica reads what others appended", "%v", err)
	}
	for range 3 { // each records a bounded number
		e := &event{step: -1, do: expire}
		if err := h.begin(e, l, running, l.opened.Expire); err != nil {
			return err
		}
		if err := h.settleDown(func() bool { return e.end > 0 }); err != nil {
			return err
		}
	}
	recs, err := h.log.Records()
	if err != nil {
		return violated("the log can be read", "%v", err)
	}
	h.trace.records, h.trace.times = recs, h.log.times
	return nil
}
