package guard

import (
	"context"
	"errors"
	"fmt"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// Wrap registers a tool and returns the function that runs fn behind the
// guard. The call's Tool is always this tool, whatever it says.
//
// Where the call is not allowed, the result is the refusal for the model and
// the error is nil. Otherwise fn runs with the checked bytes, and result and
// error are its own. A panic of fn becomes an *[Error] with [CodePanic]; where
// fn ends its goroutine, the outcome is recorded as a panic too. When
// ctx is cancelled before fn starts, fn does not run and the error is an
// *[Error] with [CodeNotExecuted].
//
// When the outcome could not be recorded, the error also holds an *[Error]
// with [CodeEvidence]. The result stands even so: the tool has acted, and must
// not be called again only because of that.
func Wrap(
	g *Guard, tool authority.Tool, fn func(ctx context.Context, arguments []byte) ([]byte, error),
) (func(ctx context.Context, call Call) ([]byte, error), error) {
	if fn == nil {
		return nil, configError("tool %s has no function", tool.ID())
	}
	if err := g.Register(tool); err != nil {
		return nil, err
	}
	id := tool.ID()
	return func(ctx context.Context, call Call) ([]byte, error) {
		call.Tool = id
		ctx, d := g.Begin(ctx, call)
		if !d.Allowed() {
			return d.Refusal(), nil
		}
		returned := false
		defer func() {
			if !returned { // the tool ended its goroutine: it has acted even so
				_ = g.End(ctx, d, nil, Panicked("the tool did not return"))
			}
		}()
		result, err := run(ctx, d.Args, fn)
		returned = true
		return result, errors.Join(err, g.End(ctx, d, result, err))
	}, nil
}

func run(
	ctx context.Context, arguments []byte, fn func(context.Context, []byte) ([]byte, error),
) (result []byte, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, NotExecuted(err)
	}
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, Panicked(r)
		}
	}()
	result, err = fn(ctx, arguments)
	if statusOf(err) == rationale.StatusNotExecuted {
		err = fmt.Errorf("%w", err) // said of a call of its own: the tool ran
	}
	return result, err
}
