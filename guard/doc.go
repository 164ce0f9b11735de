// Package guard keeps an agent's tool calls within the authority that named
// people granted it, and leaves a record of each.
//
// A [Guard] is a two-phase gate around a tool. [Guard.Begin] evaluates a call,
// records the decision, and says whether the tool may run and with which bytes;
// [Guard.End] records what happened then, a panic included. [Wrap] does both for
// a plain Go function; where a framework calls the tool, an adapter does this:
//
//	ctx, d := g.Begin(ctx, call)
//	if !d.Allowed() {
//		return d.Refusal(), nil // goes back to the model as the tool's result
//	}
//	err = guard.Panicked("the tool did not return") // until it does
//	defer func() {
//		if r := recover(); r != nil {
//			err = guard.Panicked(r)
//		}
//		err = errors.Join(err, g.End(ctx, d, result, err))
//	}()
//	return run(ctx, d.Args) // sets the named results result and err
//
// Every evaluation leaves exactly one decision, durable before the tool runs,
// and every allowed decision exactly one outcome. Whatever fails on the way,
// a fact, an estimator, the ledger, or a panic in any of them, denies.
//
// A guard decides for one agent in one environment. The host says which; the
// session and the person on whose behalf the agent acts come with the context
// ([WithSession]). Nothing of this is ever taken from the model.
//
// The guard runs inside the host: a host that calls a tool without it is not
// stopped by it.
package guard
