package guard

import (
	"context"

	"github.com/ambit-go/ambit/authority"
)

// Session is what the host knows of the conversation that a call belongs to.
type Session struct {
	// ID tells conversations apart. Calls without one share one session.
	ID string
	// OnBehalfOf is the verified identity of the person whom the agent serves.
	OnBehalfOf string
	// Model is the model as the provider reported it for this turn; its basis
	// defaults to "reported". The zero ModelSpec: the agent's own model.
	Model authority.ModelSpec
}

type sessionKey struct{}

// WithSession returns a context that carries the session of the calls made
// with it. Only the host calls this: nothing in it may come from the model.
func WithSession(ctx context.Context, s Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

func sessionFrom(ctx context.Context) Session {
	s, _ := ctx.Value(sessionKey{}).(Session)
	return s
}

type decisionKey struct{}

// DecisionID returns the id of the decision under which ctx runs: that of the
// innermost [Guard.Begin] that allowed its call. It is empty outside of one.
// A tool can hand it to the system that it acts on, so that the action can be
// traced back.
func DecisionID(ctx context.Context) string {
	id, _ := ctx.Value(decisionKey{}).(string)
	return id
}
