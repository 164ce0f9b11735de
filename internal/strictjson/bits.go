package strictjson

import "unsafe"

// Bits returns the 64 bits that stand for a Bool, Int, Uint, Double or
// Duration, and the length of a String or Bytes, without looking at the kind;
// of other kinds they mean nothing. It is for who has looked already.
func (v *Value) Bits() int64 { return v.num }

// Bytes returns where the [Value.Bits] bytes of a String or Bytes begin,
// without looking at the kind.
func (v *Value) Bytes() unsafe.Pointer { return v.data.p }
