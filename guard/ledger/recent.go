package ledger

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
)

// maxRecent is how many decisions that have ended are remembered.
const maxRecent = 512

// recent are the last decisions that took of their limits and have ended: one
// that is asked for again takes nothing again, also by another process. So it is
// part of the state, and keeps 8 bytes of each id, by which two ids are the same once
// in 10^16 times.
type recent struct {
	known map[uint64]bool
	ring  []uint64
	next  int
}

func recentKey(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

func (r *recent) has(id string) bool { return len(r.known) > 0 && r.known[recentKey(id)] }

func (r *recent) add(id string) { r.addKey(recentKey(id)) }

func (r *recent) addKey(key uint64) {
	if r.known == nil {
		r.known = make(map[uint64]bool)
	}
	r.known[key] = true
	if len(r.ring) < maxRecent {
		r.ring = append(r.ring, key)
		return
	}
	delete(r.known, r.ring[r.next])
	r.ring[r.next] = key
	r.next = (r.next + 1) % maxRecent
}

// save returns them, the first to be forgotten first.
func (r *recent) save() []byte {
	var saved []byte
	for _, key := range slices.Concat(r.ring[r.next:], r.ring[:r.next]) {
		saved = binary.BigEndian.AppendUint64(saved, key)
	}
	return saved
}

func (r *recent) restore(saved []byte) {
	*r = recent{}
	for ; len(saved) >= 8; saved = saved[8:] {
		r.addKey(binary.BigEndian.Uint64(saved))
	}
}
