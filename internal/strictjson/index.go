package strictjson

import "math/bits"

// index guesses which of the sorted properties of an object has a name, from a
// few bytes of the name. The guess is then compared, so an index need not be
// perfect: what it does not find is searched for.
type index struct {
	fields []int32 // by hash
	factor uint32
	shift  uint8
}

// newIndex looks for the hash under which most names have a place of their own.
func newIndex(fields []field) index {
	attempts := uint32(32)
	switch {
	case len(fields) == 0:
		return index{}
	case len(fields) > 256: // no tool has as many; compiling them must not take long
		attempts = 1
	}
	width := bits.Len(uint(len(fields))) + 1 // two to four places for each
	best, most := index{}, 0
	for factor := uint32(0x9E3779B1); factor < 0x9E3779B1+2*attempts; factor += 2 { // odd, so that no bit is lost
		x := index{fields: make([]int32, 1<<width), factor: factor * factor, shift: uint8(32 - width)}
		found := 0
		for i := len(fields) - 1; i >= 0; i-- {
			x.fields[x.hash([]byte(fields[i].name))] = int32(i)
		}
		for i := range fields {
			if x.guess([]byte(fields[i].name)) == i {
				found++
			}
		}
		if found > most {
			best, most = x, found
		}
		if found == len(fields) {
			break
		}
	}
	return best
}

func (x *index) hash(name []byte) uint32 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return (uint32(n)<<24 ^ uint32(name[0])<<16 ^ uint32(name[n/2])<<8 ^ uint32(name[n-1])) * x.factor >> x.shift
}

// guess returns the one property that may have the name.
func (x *index) guess(name []byte) int {
	i := x.hash(name)
	if int(i) >= len(x.fields) { // no index
		return 0
	}
	return int(x.fields[i])
}
