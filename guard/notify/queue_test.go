package notify_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/notify"
	"github.com/ambit-go/ambit/rationale"
)

func numbered(i int) rationale.Notification { return rationale.Notification{ID: fmt.Sprint(i)} }

// receiver notes what arrives, and answers with the error that fails says.
type receiver struct {
	mu       sync.Mutex
	arrived  []notify.Message
	attempts []time.Time
	fails    func(attempt int, m notify.Message) error
}

func (r *receiver) send(_ context.Context, m notify.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts = append(r.attempts, time.Now())
	if r.fails != nil {
		if err := r.fails(len(r.attempts), m); err != nil {
			return err
		}
	}
	r.arrived = append(r.arrived, m)
	return nil
}

func (r *receiver) ids() (ids []string) {
	for _, m := range r.arrived {
		ids = append(ids, m.Notification.ID)
	}
	return ids
}

func TestAQueueDeliversInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		q := notify.Start(r.send)
		var want []string
		for i := range 100 {
			q.Notify(numbered(i))
			want = append(want, fmt.Sprint(i))
		}
		require.NoError(t, q.Close(t.Context()))
		assert.Equal(t, want, r.ids())
		assert.Equal(t, notify.Status{Delivered: 100}, q.Status())
		q.Notify(numbered(100))
		assert.ErrorContains(t, q.Close(t.Context()), "1 notifications were not delivered", "after the end nothing is taken")
	})
}

// A receiver that hangs makes nobody wait; what there is no room for is counted, and
// said to the receiver once it answers.
func TestAFullQueueDropsAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{})
		r := &receiver{}
		q := notify.Start(func(ctx context.Context, m notify.Message) error {
			<-hangs
			return r.send(ctx, m)
		})
		q.Notify(numbered(0))
		synctest.Wait()
		began := time.Now()
		for i := range 1024 + 7 {
			q.Notify(numbered(1 + i))
		}
		assert.Zero(t, time.Since(began))
		assert.Equal(t, notify.Status{Dropped: 7, Waiting: 1025}, q.Status())
		close(hangs)
		assert.ErrorContains(t, q.Close(t.Context()), "7 notifications were not delivered")
		require.Len(t, r.arrived, 1025)
		assert.Zero(t, r.arrived[0].Dropped, "it left before")
		assert.EqualValues(t, 7, r.arrived[1].Dropped)
		assert.Zero(t, r.arrived[2].Dropped, "said once")
	})
}

func TestAttemptsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		r := &receiver{fails: func(_ int, m notify.Message) error {
			if m.Notification.ID == "0" {
				return down
			}
			return nil
		}}
		q := notify.Start(r.send)
		q.Notify(numbered(0))
		q.Notify(numbered(1))
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		assert.ErrorIs(t, q.Status().Err, down)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, r.attempts, 7)
		for i, pause := 0, time.Second; i < 5; i, pause = i+1, 2*pause {
			waited := r.attempts[i+1].Sub(r.attempts[i])
			assert.LessOrEqual(t, waited, pause)
			assert.Greater(t, waited, pause/2-time.Nanosecond)
		}
		assert.Equal(t, r.attempts[5], r.attempts[6], "the next is not held up any longer")
		require.Len(t, r.arrived, 1)
		assert.EqualValues(t, 1, r.arrived[0].Dropped)
		assert.Equal(t, notify.Status{Delivered: 1, Dropped: 1}, q.Status())
		assert.Error(t, q.Close(t.Context()))
	})
}

func TestPausesDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 8 {
			r := &receiver{fails: func(attempt int, _ notify.Message) error {
				if attempt == 1 {
					return assert.AnError
				}
				return nil
			}}
			q := notify.Start(r.send)
			q.Notify(numbered(0))
			require.NoError(t, q.Close(t.Context()))
			seen[r.attempts[1].Sub(r.attempts[0])] = true
		}
		assert.Greater(t, len(seen), 1, "receivers that come back are not asked by all at once")
	})
}

func TestWhatIsRefusedIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{fails: func(int, notify.Message) error { return fmt.Errorf("%w: no such hook", notify.ErrRefused) }}
		q := notify.Start(r.send)
		q.Notify(numbered(0))
		assert.ErrorIs(t, q.Close(t.Context()), notify.ErrRefused)
		assert.Len(t, r.attempts, 1)
	})
}

// A sender that panics, or that ignores its deadline, stops neither the queue nor its
// end.
func TestSendersThatMisbehave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := notify.Start(func(context.Context, notify.Message) error { panic("\x1b[2Jdown") })
		q.Notify(numbered(0))
		err := q.Close(t.Context())
		assert.ErrorContains(t, err, "panicked")
		assert.NotContains(t, err.Error(), "\x1b")

		hangs := make(chan struct{})
		q = notify.Start(func(context.Context, notify.Message) error { <-hangs; return nil })
		q.Notify(numbered(0))
		q.Notify(numbered(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorContains(t, q.Close(ctx), "2 notifications were not delivered")
		close(hangs)
	})
}

func TestTheEndCutsPausesShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{fails: func(int, notify.Message) error { return assert.AnError }}
		q := notify.Start(r.send)
		for i := range 3 {
			q.Notify(numbered(i))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		assert.ErrorContains(t, q.Close(ctx), "3 notifications were not delivered")
		assert.Equal(t, 5*time.Second, time.Since(began))
	})
}
