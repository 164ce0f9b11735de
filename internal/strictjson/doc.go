// Package strictjson reads the arguments of a tool call: JSON text in, typed
// immutable values out, or one [Error] that names the place and says what would
// have been right.
//
// It is the one way in for arguments, and stricter than RFC 8259 wherever two
// readers of one text could disagree about what it says: duplicate and
// case-variant names, NUL in names, invalid UTF-8, lone surrogates, negative
// zero and numbers that no Go value holds exactly are refused rather than
// repaired. See [Scan] for the rules that hold without a schema and
// [Schema.Decode] for those a schema adds.
package strictjson
