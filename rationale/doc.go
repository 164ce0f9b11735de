// Package rationale holds what Ambit leaves behind: the records of decisions,
// outcomes and lifecycle, their canonical encoding and hash chain, and the
// rationale that an agent gives before it acts, with the mechanical check of
// it.
//
// A rationale is the agent's claim. A record says on what basis it was
// accepted, never that it is true.
package rationale
