package guard

import (
	"cmp"
	"context"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
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

// sessionFacts is a Session as records name it.
type sessionFacts struct {
	id    sessionID
	model *rationale.Model // nil: the agent's own
}

// WithSession returns a context that carries the session of the calls made
// with it. Only the host calls this: nothing in it may come from the model.
func WithSession(ctx context.Context, s Session) context.Context {
	known := &sessionFacts{id: sessionID{legible(s.ID), legible(s.OnBehalfOf)}}
	if s.Model != (authority.ModelSpec{}) {
		s.Model.Basis = cmp.Or(s.Model.Basis, "reported")
		model := legibleModel(s.Model)
		known.model = &model
	}
	return context.WithValue(ctx, sessionKey{}, known)
}

// noSession is that of a context without one.
var noSession = new(sessionFacts)

func sessionFrom(ctx context.Context) *sessionFacts {
	if s, ok := ctx.Value(sessionKey{}).(*sessionFacts); ok {
		return s
	}
	return noSession
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
