package audit

import (
	"maps"
	"slices"
	"time"
)

// Coverage says what was looked at, and what came of it. Events are counted
// once, however often they were delivered.
type Coverage struct {
	Events     int `json:"events"`     // read, each once
	Duplicates int `json:"duplicates"` // events, or stages of requests, that were there again
	Outside    int `json:"outside"`    // before since, or not before until
	Before     int `json:"before"`     // judged by an earlier run
	Other      int `json:"other"`      // by other principals than the agents'
	ReadOnly   int `json:"read_only"`
	Service    int `json:"service"` // begun by a service of the cloud
	Failed     int `json:"failed"`
	Mutating   int `json:"mutating"` // what is left: acts of the agents, each of which has a finding
	// Uncompared are acts that are explained though the document compares something that
	// the event does not say, or the record does not keep.
	Uncompared int `json:"uncompared"`

	Decisions    int `json:"decisions"`     // of the agents
	OtherRecords int `json:"other_records"` // decisions of other agents
	Unmapped     int `json:"unmapped"`      // decisions that acted, of tools of which the document names no events

	Findings map[Kind]int `json:"findings"`

	resolvedEvents int // UnknownResolved by an event
}

// Judged returns of how many acts there is a judgement: mutating events, decisions
// that should have had one, and those that people settled as none.
func (c *Coverage) Judged() int {
	return c.Mutating + c.Findings[Missettled] + c.Findings[Orphan] + c.Findings[LogGap]
}

// Share returns a part of the mutating events in percent; 0 where there are none.
func (c *Coverage) Share(kinds ...Kind) float64 {
	n := 0
	for _, k := range kinds {
		n += c.Findings[k]
	}
	if c.Mutating == 0 {
		return 0
	}
	return 100 * float64(n) / float64(c.Mutating)
}

// Timeline counts findings over time.
type Timeline struct {
	Width  time.Duration // of one bar
	Bars   []Bar         // in the order of time; those without findings are left out
	counts map[int64]*Bar
}

// Bar is the findings of one stretch of time.
type Bar struct {
	From     time.Time
	Findings map[Kind]int
}

const maxBars = 4096

func newTimeline() *Timeline { return &Timeline{Width: time.Minute, counts: map[int64]*Bar{}} }

func (t *Timeline) add(at time.Time, k Kind) {
	n := at.Unix() / int64(t.Width/time.Second)
	b := t.counts[n]
	if b == nil {
		b = &Bar{Findings: map[Kind]int{}}
		t.counts[n] = b
	}
	b.Findings[k]++
	for len(t.counts) > maxBars {
		t.widen()
	}
}

// widen puts two bars together.
func (t *Timeline) widen() {
	t.Width *= 2
	wider := make(map[int64]*Bar, len(t.counts)/2)
	for n, b := range t.counts {
		into := wider[n/2]
		if into == nil {
			wider[n/2] = b
			continue
		}
		for k, count := range b.Findings {
			into.Findings[k] += count
		}
	}
	t.counts = wider
}

// end puts the bars into order, with no more than so many over the whole time.
func (t *Timeline) end(most int) {
	order := slices.Sorted(maps.Keys(t.counts))
	for len(order) > 1 && order[len(order)-1]-order[0] >= int64(most) {
		t.widen()
		order = slices.Sorted(maps.Keys(t.counts))
	}
	for _, n := range order {
		b := t.counts[n]
		b.From = time.Unix(n*int64(t.Width/time.Second), 0).UTC()
		t.Bars = append(t.Bars, *b)
	}
}
