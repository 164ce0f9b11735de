package einoguard

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/cloudwego/eino/compose"

	"github.com/ambit-go/ambit/guard"
)

// invoke runs an allowed tool and records its outcome.
func invoke[T any](
	ctx context.Context, g *guard.Guard, d guard.Decision, encode func([]byte, T) []byte, run func() (T, error),
) (T, error) {
	result, err := protect(ctx, run, func(err error) { end(ctx, g, d, nil, err) })
	if err != nil {
		end(ctx, g, d, nil, err)
		return result, err
	}
	end(ctx, g, d, encode(nil, result), nil)
	return result, nil
}

// end records an outcome. That it could not be recorded is not the tool's
// error: the tool has acted, its result stands, and the tracer is told.
func end(ctx context.Context, g *guard.Guard, d guard.Decision, result []byte, err error) {
	_ = g.End(ctx, d, result, recorded(err))
}

// protect runs host code, unless the call was cancelled while it was decided,
// and makes an error of its panic. Code that ends its goroutine does not return
// here: it has acted even so, and gone is told.
func protect[T any](ctx context.Context, run func() (T, error), gone func(error)) (result T, err error) {
	if cause := context.Cause(ctx); cause != nil {
		return result, guard.NotExecuted(cause)
	}
	returned := false
	defer func() {
		if r := recover(); r != nil {
			err = &panicked{err: guard.Panicked(r), stack: debug.Stack()}
		} else if !returned {
			gone(guard.Panicked("the tool did not return"))
		}
	}()
	result, err = run()
	returned = true
	return result, ran(err)
}

// ran is an error of a tool that ran, whatever the error says of a guarded call of
// the tool's own.
func ran(err error) error {
	if e, ok := err.(*guard.Error); ok && e != nil && e.Code == guard.CodeNotExecuted {
		return fmt.Errorf("%w", err)
	}
	return err
}

// panicked is a tool's panic as eino gets it: with the stack, which the host's
// log needs and the record does not.
type panicked struct {
	err   error
	stack []byte
}

func (p *panicked) Error() string { return p.err.Error() + "\n" + string(p.stack) }
func (p *panicked) Unwrap() error { return p.err }

// interrupted is the recorded error of a tool that interrupted the run: it did
// not fail, and may have acted.
type interrupted struct{ signal error }

func (i *interrupted) Error() string { return "the tool interrupted the run: " + i.signal.Error() }
func (i *interrupted) Unwrap() error { return i.signal }

// unfinished is the recorded error of a stream of which nobody saw the end.
type unfinished struct{ cause error }

func (u *unfinished) Error() string { return "the stream was left before its end: " + u.cause.Error() }
func (u *unfinished) Unwrap() error { return u.cause }

// recorded returns the error under which an outcome is recorded.
func recorded(err error) error {
	if p, ok := err.(*panicked); ok {
		return p.err
	}
	if _, ok := err.(*unfinished); ok {
		return guard.Unknown(err)
	}
	if interrupts(err) {
		return guard.Unknown(&interrupted{err})
	}
	return err
}

// interrupts reports whether a tool's error is eino's signal to interrupt.
func interrupts(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := compose.IsInterruptRerunError(err); ok {
		return true
	}
	_, ok := compose.ExtractInterruptInfo(err)
	return ok
}
