// Package joinkey makes, of a decision's id, what a tool hands to the system that it
// acts on, so that the system's own log can be joined with the records: values
// that fit the rules of those systems, for any client. It depends on none of them.
//
// A tool reads the id from its context (guard.DecisionID). Where there is none,
// because nobody decided, every function returns nothing: an empty session name
// opens no session, so that what bypasses the guard gets no credentials. So it is
// for text that is no decision's id. See docs/credentials.md for what to do with it.
package joinkey

import (
	"crypto/sha256"
	"encoding/hex"
)

const (
	// Annotation is the key of a Kubernetes annotation whose value is the id.
	Annotation = "ambit-go.github.io/decision"
	// Tag is the key of an AWS session tag, and of a Kubernetes user's extra, whose
	// value is the id.
	Tag = "ambit-decision"
)

const (
	prefix  = "ambit-"
	product = "ambit/"
)

// UserAgent returns a product for the end of an HTTP User-Agent (RFC 9110, section
// 10.1.5): "ambit/" and the id. Any client can send any: it finds what a tool of
// yours did, and proves nothing.
func UserAgent(id string) string {
	if !valid(id) {
		return ""
	}
	return product + id
}

// SessionName returns "ambit-" and the id, in 42 characters of letters, digits and
// '-': an AWS RoleSessionName or SourceIdentity (2 to 64 of [\w+=,.@-]), and the
// last part of a Kubernetes user name.
func SessionName(id string) string {
	if !valid(id) {
		return ""
	}
	return prefix + id
}

// ClientToken returns an idempotency token for one request of a tool: the id, a '-'
// and 27 hexadecimal digits of a hash of step, together 64 characters of
// letters, digits and '-', the most that a ClientToken of AWS may have. A tool that
// makes several requests under one decision names each by another step, and
// the same when it sends one again.
func ClientToken(id, step string) string {
	if !valid(id) {
		return ""
	}
	hash := sha256.Sum256([]byte(step))
	return id + "-" + hex.EncodeToString(hash[:])[:27]
}

// Annotations returns the Kubernetes annotation, in a map of its own; nil where
// there is no decision.
func Annotations(id string) map[string]string {
	if !valid(id) {
		return nil
	}
	return map[string]string{Annotation: id}
}

// Decision returns the id that a value names which one of the functions here made,
// or the id itself; for [UserAgent], also where it stands in a longer text, the last one.
// It is empty where there is none. What an event says of its own decision is a claim,
// until the decision is found to allow just that.
func Decision(value string) string {
	for end := len(value); end >= idLength; end-- {
		id := value[end-idLength : end]
		if valid(id) && bounded(value[:end-idLength], value[end:]) {
			return id
		}
	}
	return ""
}

// bounded reports whether what stands around an id is how one of the values has it.
func bounded(before, after string) bool {
	switch {
	case before == "" || before == prefix:
		return after == "" || before == "" && len(after) == 28 && after[0] == '-' && isHex(after[1:])
	case len(before) < len(product) || before[len(before)-len(product):] != product:
		return false
	}
	before = before[:len(before)-len(product)]
	return (before == "" || before[len(before)-1] == ' ') && (after == "" || after[0] == ' ')
}

const idLength = 36

// valid holds for a UUID as records write it.
func valid(id string) bool {
	if len(id) != idLength {
		return false
	}
	return isHex(id[:8]) && id[8] == '-' && isHex(id[9:13]) && id[13] == '-' && isHex(id[14:18]) &&
		id[18] == '-' && isHex(id[19:23]) && id[23] == '-' && isHex(id[24:])
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
