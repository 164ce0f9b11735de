// Package classify holds the vocabulary with which a call is sorted into a
// class of decision: tiers of autonomy, tool identities, and tool patterns by
// specificity. It knows nothing of documents, arguments or CEL: a class's
// 'when' arrives as a function.
//
// Everything here is immutable and safe for concurrent use.
package classify
