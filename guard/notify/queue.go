package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// Message is what a receiver gets.
type Message struct {
	Notification rationale.Notification `json:"notification"`
	// Dropped counts those that did not arrive since the last one that did: there
	// was no room for them, or they could not be delivered.
	Dropped uint64 `json:"dropped,omitzero"`
}

// ErrRefused is what a sender's error wraps when sending again would not help.
var ErrRefused = errors.New("notify: the receiver refused it")

// Bounds of a queue.
const (
	maxWaiting  = 1024 // notifications
	maxAttempts = 6
	sendTimeout = 15 * time.Second // of one attempt
	firstPause  = time.Second      // doubles with every attempt; each is cut at random by up to a half
)

// Queue delivers notifications one after the other, in the order in which it was
// told, in a goroutine of its own. It holds 1,024; what comes when it is full is
// dropped. Each is tried up to 6 times, with pauses of 1 to 16 seconds between them
// that random shortens by up to a half, and then dropped. It is safe for
// concurrent use. Make one with [Start], and end it with [Queue.Close].
type Queue struct {
	send    func(context.Context, Message) error
	waiting chan rationale.Notification
	stop    chan struct{} // closed by Close
	done    chan struct{} // closed when nothing more is delivered
	ctx     context.Context
	cancel  context.CancelFunc

	mu     sync.Mutex
	closed bool
	status Status
	lost   uint64 // dropped, and no receiver knows
}

// Status is how a queue does.
type Status struct {
	Delivered, Dropped uint64 // since it was started
	Waiting            int    // notifications, with the one that is being delivered
	Err                error  // why the latest attempt failed; nil: it did not
}

// Start starts a queue that delivers with send, which [Webhook.Send] is. Send is
// called by one goroutine, on a context with a deadline of 15 seconds; its panic is
// an error. An error that wraps [ErrRefused] is not tried again.
func Start(send func(context.Context, Message) error) *Queue {
	q := &Queue{
		send: send, waiting: make(chan rationale.Notification, maxWaiting), stop: make(chan struct{}), done: make(chan struct{}),
	}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	go q.run()
	return q
}

// Notify takes a notification, or drops it where there is no room or the queue was
// closed. It never waits.
func (q *Queue) Notify(n rationale.Notification) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		select {
		case q.waiting <- n:
			q.status.Waiting++
			return
		default:
		}
	}
	q.status.Dropped++
	q.lost++
}

// Status returns how the queue does.
func (q *Queue) Status() Status {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.status
}

// Close takes no more notifications, and delivers those that wait until ctx ends.
// The error says how many the queue has dropped, from its start to its end; nil: none.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.stop)
	}
	q.mu.Unlock()
	select {
	case <-q.done:
	case <-ctx.Done():
	}
	q.cancel()
	s := q.Status()
	if lost := s.Dropped + uint64(s.Waiting); lost > 0 {
		return fmt.Errorf("notify: %d notifications were not delivered, the last for: %w", lost, orFull(s.Err))
	}
	return nil
}

func orFull(err error) error {
	if err == nil {
		return errors.New("there was no room, or no time")
	}
	return err
}

func (q *Queue) run() {
	defer close(q.done)
	defer q.cancel()
	for {
		select {
		case n := <-q.waiting:
			q.deliver(n)
			continue
		case <-q.stop:
		}
		select { // what was there before the end
		case n := <-q.waiting:
			q.deliver(n)
		default:
			return
		}
	}
}

// deliver tries until one notification has arrived or is given up.
func (q *Queue) deliver(n rationale.Notification) {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		if q.attempt(n) {
			return
		}
		if q.ctx.Err() != nil || attempt == maxAttempts || q.refused() {
			break
		}
		select {
		case <-time.After(pause - rand.N(pause/2)):
		case <-q.ctx.Done():
		}
		pause *= 2
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.status.Waiting--
	q.status.Dropped++
	q.lost++
}

func (q *Queue) refused() bool { return errors.Is(q.Status().Err, ErrRefused) }

// attempt sends a notification, with the count of those that were lost before it,
// and reports whether it has arrived.
func (q *Queue) attempt(n rationale.Notification) bool {
	q.mu.Lock()
	lost := q.lost
	q.mu.Unlock()
	err := q.try(Message{n, lost})
	q.mu.Lock()
	defer q.mu.Unlock()
	q.status.Err = err
	if err != nil {
		return false
	}
	q.lost -= lost
	q.status.Waiting--
	q.status.Delivered++
	return true
}

func (q *Queue) try(m Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("notify: sending panicked: %s", rationale.Clip(rationale.Printable(fmt.Sprint(r)), 256))
		}
	}()
	ctx, cancel := context.WithTimeout(q.ctx, sendTimeout)
	defer cancel()
	return q.send(ctx, m)
}
