package einoguard

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"sync"

	"github.com/cloudwego/eino/schema"

	"github.com/ambit-go/ambit/guard"
)

// stream starts an allowed tool and passes its stream on. The outcome is
// recorded before the reader learns how the stream ended.
func stream[T any](
	ctx context.Context, g *guard.Guard, d guard.Decision, encode func([]byte, T) []byte,
	run func() (*schema.StreamReader[T], error),
) (*schema.StreamReader[T], error) {
	from, err := protect(ctx, run, func(err error) { end(ctx, g, d, nil, err) })
	if err == nil && from == nil {
		err = errors.New("einoguard: the tool returned neither a stream nor an error")
	}
	if err != nil {
		end(ctx, g, d, nil, err)
		return nil, err
	}
	p := &pump[T]{from: from, encode: encode}
	var once sync.Once
	p.end = func(result []byte, err error) {
		once.Do(func() { end(ctx, g, d, result, err) })
	}
	reader, writer := schema.Pipe[T](0)
	p.to = writer
	// A tool that never ends its stream and a reader that is gone leave the
	// outcome to the context of the call.
	stop := context.AfterFunc(ctx, func() { p.end(nil, &unfinished{context.Cause(ctx)}) })
	go func() {
		defer stop()
		p.run()
	}()
	return reader, nil
}

var errClosed = errors.New("its reader was closed")

// pump copies one stream. It owns both ends: from's reader is closed by it
// alone, since eino's readers are not safe to close while they receive.
type pump[T any] struct {
	from   *schema.StreamReader[T]
	to     *schema.StreamWriter[T]
	encode func([]byte, T) []byte
	end    func(result []byte, err error) // the first call counts
}

func (p *pump[T]) run() {
	defer p.to.Close()
	defer p.close()
	var result []byte
	for {
		chunk, err := p.receive()
		switch {
		case err == io.EOF:
			p.end(result, nil)
			return
		case err != nil:
			p.end(result, err)
		default:
			result = p.encode(result, chunk)
		}
		if closed := p.to.Send(chunk, err); closed {
			p.end(result, &unfinished{errClosed})
			return
		}
		if _, ok := err.(*panicked); ok {
			return
		}
	}
}

// receive is the next chunk. Conversions of a stream are host code and run
// here, where nobody else would recover their panic.
func (p *pump[T]) receive() (chunk T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicked{err: guard.Panicked(r), stack: debug.Stack()}
		}
	}()
	chunk, err = p.from.Recv()
	return chunk, ran(err)
}

// close closes the tool's reader, which panics where the tool did so itself.
func (p *pump[T]) close() {
	defer func() { _ = recover() }()
	p.from.Close()
}
