package authority

import (
	"fmt"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// seenVersion is a version of an authorization that was loaded, and from when on it
// was to be in force.
type seenVersion struct {
	version int
	at      time.Time
}

// seenVersions are those of one authorization, lowest first, without any that a
// higher one supersedes as early. They are immutable.
type seenVersions []seenVersion

func (s seenVersions) with(v seenVersion) seenVersions {
	for _, o := range s {
		if o.version >= v.version && !o.at.After(v.at) {
			return s
		}
	}
	kept := slices.DeleteFunc(slices.Clone(s), func(o seenVersion) bool { return o.version <= v.version && !v.at.After(o.at) })
	i, _ := slices.BinarySearchFunc(kept, v, func(a, b seenVersion) int { return a.version - b.version })
	return slices.Insert(kept, i, v)
}

// above returns the highest version above one that is to be in force at a time.
func (s seenVersions) above(version int, at time.Time) (seenVersion, bool) {
	for _, v := range slices.Backward(s) {
		if v.version > version && !at.Before(v.at) {
			return v, true
		}
	}
	return seenVersion{}, false
}

// WithPast says what hosts had loaded before, as [Set.Lifecycle] said it: [Load] then
// undoes as little of it as [Set.Reload] does. Every revocation among it holds, and no
// authorization is in force of which a higher version was, whether or not their files
// are in the folder still. Of an authorization the bytes are not needed. A version that
// was loaded without the signature that it needed does not count. A revocation that
// cannot be read is an error of Load.
func WithPast(past ...*rationale.Lifecycle) Option {
	return func(o *options) { o.past = append(o.past, past...) }
}

// before returns the Set that the first one follows: that of the past, without a
// document in force.
func (o *options) before() (*Set, error) {
	s := &Set{counts: new(shadowCounts), seen: make(map[string]seenVersions)}
	for _, l := range o.past {
		switch {
		case l == nil:
		case l.Event == rationale.EventLoaded && l.Authorization != nil && l.Standing != rationale.StandingUnsigned:
			id := l.Authorization.ID
			s.seen[id] = s.seen[id].with(seenVersion{l.Authorization.Version, l.Authorization.GrantedAt})
		case l.Event == rationale.EventRevoked:
			read, _ := readDocuments([]Document{{Name: l.Document, Data: l.Bytes, Signature: l.Signature}}, o.trust)
			if len(read.Halts) == 0 {
				return nil, fmt.Errorf("the revocation %s (%s), which was in force before, cannot be read: use the version of ambit that recorded it, or a later one",
					printable(l.Document), printable(l.Digest))
			}
			s.keepHalts(read.Halts)
		}
	}
	o.past = nil
	return s, nil
}
