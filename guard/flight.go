package guard

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxFlights bounds how many calls of one function of the host may be under
// way, those that were abandoned included.
const maxFlights = 64

var (
	errBusy     = errors.New("too many earlier requests have not returned")
	errVanished = errors.New("the host's function ended its goroutine")
	errCanceled = errors.New("the call was cancelled")
)

// flight is one call of a function of the host, on a goroutine of its own, so
// that the guard can stop waiting for it.
type flight struct {
	at    time.Time // when it started, on the guard's clock
	done  chan struct{}
	value any // with err, valid once done is closed
	err   error
}

// landedFlight is one whose result is known already.
func landedFlight(at time.Time, value any, err error) *flight {
	f := &flight{at: at, done: make(chan struct{}), value: value, err: err}
	close(f.done)
	return f
}

// launch starts fn with a deadline, unless too many are under way. landed, if
// not nil, is called before anyone who waits sees the flight done.
func launch(
	ctx context.Context, slots chan struct{}, at time.Time, timeout time.Duration,
	fn func(context.Context) (any, error), landed func(*flight),
) *flight {
	select {
	case slots <- struct{}{}:
	default:
		return landedFlight(at, nil, errBusy)
	}
	f := &flight{at: at, done: make(chan struct{}), err: errVanished}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer func() {
			if r := recover(); r != nil {
				f.value, f.err = nil, errors.New("it panicked: "+describe(r))
			}
			cancel()
			<-slots
			if landed != nil {
				landed(f)
			}
			close(f.done)
		}()
		value, err := fn(ctx)
		if err != nil {
			// Its text, not itself: methods of the host's error may panic later.
			value, err = nil, errors.New(errorText(err))
		}
		f.value, f.err = value, err
	}()
	return f
}

// wait returns what the flight brought, or an error once ctx is cancelled or
// timeout has passed since a time.
func (f *flight) wait(ctx context.Context, since time.Time, timeout time.Duration) (any, error) {
	select {
	case <-f.done:
		return f.value, f.err
	default:
	}
	deadline := time.NewTimer(timeout - time.Since(since))
	defer deadline.Stop()
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		return nil, errCanceled
	case <-deadline.C:
		return nil, fmt.Errorf("no answer within %v", timeout)
	}
}
