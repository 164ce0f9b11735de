package strictjson

// Limits bound what reading one document may cost. They are checked before the
// cost arises, except that a document of at most 64 KiB with few brackets may be
// checked for being JSON before its values are counted. A limit of zero admits nothing of its kind, so the zero Limits
// refuse every document.
type Limits struct {
	Bytes       int // length of the whole document
	Depth       int // nested arrays and objects; a scalar document has depth 0
	Nodes       int // values: scalars, arrays and objects, names not counted
	NumberBytes int // length of one number as it is written
}

// DefaultLimits is far above what tools are called with and far below what
// makes a host slow: 1 MiB, 32 levels, 10,000 values, 128 bytes a number.
func DefaultLimits() Limits {
	return Limits{Bytes: 1 << 20, Depth: 32, Nodes: 10_000, NumberBytes: 128}
}

// schemaLimits bound a tool's schema, which its own author wrote: roomier, and
// still finite.
func schemaLimits() Limits {
	return Limits{Bytes: 4 << 20, Depth: 200, Nodes: 200_000, NumberBytes: 128}
}
