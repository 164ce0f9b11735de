package journal

import (
	"crypto/ed25519"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// State is what somebody derives from a journal's records, and needs again after
// a restart. The journal rebuilds it when it is opened, from the last snapshot
// and the records after it, and keeps it up to date: one call at a time, in the
// order of the records. Its methods must not append.
type State interface {
	// Restore puts the state of a snapshot in place of the current one.
	Restore(s *rationale.Snapshot) error
	// Apply takes in a record that is durable (or written, for Write), before
	// its append returns. Snapshots and checkpoints are not applied, and what
	// Snapshot returned beside the snapshot is when the state is rebuilt.
	Apply(rec rationale.Record, at Position)
	// Snapshot returns the records that a segment begins with: one
	// *rationale.Snapshot of everything applied so far, and what else is worth
	// repeating there.
	Snapshot(now time.Time) []rationale.Record
	// Needed returns the number of the earliest segment that holds a record
	// which is still needed, as given to Apply; 0 if there is none.
	Needed() uint64
}

// Position is the place of a record.
type Position struct {
	Journal string
	Segment uint64
	Seq     uint64
}

// Rotation says when a new segment begins: as soon as one limit is reached. A
// limit of zero is the default. Each segment begins with a snapshot, so the limits
// also bound what has to be read when the journal is opened.
type Rotation struct {
	Bytes   int64         // default 64 MiB
	Records int           // default: no limit
	Age     time.Duration // default 24 h; looked at when something is appended
}

// Option changes how a journal works. The nil Option changes nothing.
type Option func(*config)

type config struct {
	fs              FS
	now             func() time.Time
	state           State
	observer        func(rationale.Record, Position)
	rotation        Rotation
	key             ed25519.PrivateKey
	checkpointEvery int
	meter           *meter
}

// WithState gives what is rebuilt from the records, and supplies snapshots.
func WithState(s State) Option { return func(c *config) { c.state = s } }

// WithRotation says when a new segment begins.
func WithRotation(r Rotation) Option { return func(c *config) { c.rotation = r } }

// WithCheckpointKey lets the journal sign where it stands: after every 1,000
// records, when a segment begins, and when it is closed.
func WithCheckpointKey(key ed25519.PrivateKey) Option { return func(c *config) { c.key = key } }

// WithCheckpointEvery signs after every n records instead.
func WithCheckpointEvery(n int) Option { return func(c *config) { c.checkpointEvery = n } }

// WithObserver calls f with every record that is durable (or written, for Write),
// in order and one at a time, before its append returns. It must be quick, and
// must not append. Snapshots, and what repeats older records beside them, are left out.
func WithObserver(f func(rec rationale.Record, at Position)) Option {
	return func(c *config) { c.observer = f }
}

// WithClock replaces time.Now. It must be safe for concurrent use.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// WithFS replaces the machine's file system.
func WithFS(fsys FS) Option { return func(c *config) { c.fs = fsys } }

func configure(opts []Option) config {
	c := config{fs: OS(), now: time.Now, checkpointEvery: 1000, meter: new(meter)}
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	if c.rotation.Bytes <= 0 {
		c.rotation.Bytes = 64 << 20
	}
	if c.rotation.Age <= 0 {
		c.rotation.Age = 24 * time.Hour
	}
	return c
}
