package guard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

type stepKey struct{}

func TestStepOutlivesItsCaller(t *testing.T) {
	caller, cancel := context.WithCancelCause(context.WithValue(t.Context(), stepKey{}, "kept"))
	s := newStep(caller)
	cancel(assert.AnError)
	assert.NoError(t, s.Err())
	assert.NoError(t, context.Cause(s))
	assert.Nil(t, s.timed, "nobody asked for Done, so there is no timer")
	select {
	case <-s.Done():
		t.Error("the caller's cancellation reached the step")
	default:
	}
	assert.NoError(t, s.Err())
	assert.NoError(t, context.Cause(s))
	assert.Equal(t, "kept", s.Value(stepKey{}))
	s.end()
	assert.ErrorIs(t, s.Err(), context.Canceled)
	<-s.Done()
}

func TestStepHasADeadline(t *testing.T) {
	for name, look := range map[string]func(*step){
		"with a timer":  func(s *step) { s.Done() },
		"without timer": func(*step) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStep(context.Background())
				defer s.end()
				deadline, ok := s.Deadline()
				assert.True(t, ok)
				assert.Equal(t, time.Now().Add(recordTimeout), deadline)
				look(s)
				time.Sleep(recordTimeout - time.Nanosecond)
				assert.NoError(t, s.Err())
				time.Sleep(time.Nanosecond)
				synctest.Wait()
				assert.ErrorIs(t, s.Err(), context.DeadlineExceeded)
				<-s.Done()
			})
		})
	}
}

func TestStepThatEnded(t *testing.T) {
	s := newStep(context.Background())
	s.end()
	assert.ErrorIs(t, s.Err(), context.Canceled, "before Done")
	<-s.Done()
	assert.ErrorIs(t, s.Err(), context.Canceled)
}

// What a ledger derives from its context ends with it, without a goroutine for
// each: package context would wait for a context that it does not know.
func TestContextsDerivedFromAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStep(context.Background())
		child, cancel := context.WithCancel(s)
		defer cancel()
		s.end()
		assert.ErrorIs(t, child.Err(), context.Canceled, "at once, and not once a goroutine ran")
	})
}
