package authority

import (
	"fmt"

	"github.com/ambit-go/ambit/internal/versions"
	"github.com/ambit-go/ambit/rationale"
)

// WithPast says what hosts had loaded before, as [Set.Lifecycle] said it: [Load] then
// undoes as little of it as [Set.Reload] does. Every revocation among it holds, and no
// authorization is in force of which a higher version was, whether or not their files
// are in the folder still. Of an authorization the bytes are not needed. A version that
// was loaded without the signature that it needed does not count. A revocation that
// cannot be read is an error of Load; records that are nil or of other events are passed
// over. Without it nothing was loaded before.
func WithPast(past ...*rationale.Lifecycle) Option {
	return func(o *options) { o.past = append(o.past, past...) }
}

// before returns the Set that the first one follows: that of the past, without a
// document in force.
func (o *options) before() (*Set, error) {
	s := &Set{counts: new(shadowCounts), seen: make(map[string]versions.Seen)}
	for _, l := range o.past {
		switch {
		case l == nil:
		case l.Event == rationale.EventLoaded && l.Authorization != nil && l.Standing != rationale.StandingUnsigned:
			id := l.Authorization.ID
			s.seen[id] = s.seen[id].With(versions.Version{Number: l.Authorization.Version, Granted: l.Authorization.GrantedAt})
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
