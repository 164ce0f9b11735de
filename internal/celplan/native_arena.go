package celplan

import "github.com/ambit-go/ambit/internal/strictjson"

// arena is memory for the lists that an evaluation computes. They are valid
// until the next evaluation.
type arena struct {
	buf  []strictjson.Value
	used int
	most int // of buf, since it was last cleared
}

// smallestArena is how many values the first buffer holds.
const smallestArena = 32

// mark is a state of the arena to which it can be released.
type mark struct {
	first *strictjson.Value // of the buffer
	used  int
}

// list returns room for n values. What it holds is undefined.
func (a *arena) list(n int) []strictjson.Value {
	if n > len(a.buf)-a.used {
		// What was handed out of the old buffer keeps it alive.
		a.buf, a.used, a.most = make([]strictjson.Value, max(2*len(a.buf), 2*n, smallestArena)), 0, 0
	}
	room := a.buf[a.used : a.used+n : a.used+n]
	a.used += n
	a.most = max(a.most, a.used)
	return room
}

// trim gives back what is not used of the last list.
func (a *arena) trim(list []strictjson.Value, used int) []strictjson.Value {
	if room := len(list); room > 0 && a.used >= room && &a.buf[a.used-room] == &list[0] {
		a.used -= room - used
	}
	return list[:used:used]
}

func (a *arena) mark() mark {
	if len(a.buf) == 0 {
		return mark{}
	}
	return mark{first: &a.buf[0], used: a.used}
}

// release forgets the lists handed out since the mark. Where the buffer was
// replaced in between, it keeps them.
func (a *arena) release(m mark) {
	if len(a.buf) > 0 && m.first == &a.buf[0] {
		a.used = m.used
	}
}

// keptArena is how many values a frame keeps room for between evaluations.
const keptArena = 1 << 12

// forget drops what the buffer refers to.
func (a *arena) forget() {
	if len(a.buf) > keptArena {
		a.buf = nil
	}
	clear(a.buf[:min(a.most, len(a.buf))])
	a.used, a.most = 0, 0
}
