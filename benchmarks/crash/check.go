package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// checker compares what processes were told with what the journal holds.
type checker struct {
	options
	violations []string

	segment  uint64 // up to which was read
	seq      uint64
	answered int64 // offsets up to which the files were read
	executed int64
	decided  map[string]rationale.Verdict // every decision of the journal
	outcomes map[string]rationale.Status
	counts   counts
}

type counts struct {
	decisions, outcomes, ran, unknown, torn, unused, empty int
}

func newChecker(o options) *checker {
	return &checker{options: o, decided: make(map[string]rationale.Verdict), outcomes: make(map[string]rationale.Status)}
}

func (c *checker) violation(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf(format, args...))
}

// cycle looks at what one killed process left.
func (c *checker) cycle() error {
	l, err := ledger.Open(c.evidence())
	if err != nil {
		c.violation("the journal does not open: %v", err)
		return err
	}
	if n := l.Status(time.Now()).Open; n > 0 {
		c.violation("%d decisions are open after a start", n)
	}
	segments := l.Journal().Segments()
	if err := l.Close(); err != nil {
		return err
	}
	c.read(segments)
	return c.compare()
}

// read takes in the segments that were not read yet. A segment may begin with the
// last records of the one before.
func (c *checker) read(segments []journal.Segment) {
	var paths []string
	for _, s := range segments {
		if s.Number > c.segment {
			paths = append(paths, s.File)
		}
	}
	c.segment = segments[len(segments)-1].Number
	for e, err := range journal.Read(paths...) {
		if err != nil {
			c.violation("%v", err)
			continue
		}
		if e.Envelope.Seq <= c.seq {
			continue
		}
		c.seq = e.Envelope.Seq
		switch r := e.Record.(type) {
		case *rationale.Decision:
			if _, again := c.decided[r.ID]; again {
				c.violation("decision %s is recorded twice", r.ID)
			}
			c.decided[r.ID] = r.Verdict
		case *rationale.Outcome:
			if _, again := c.outcomes[r.Decision]; again {
				c.violation("decision %s has two outcomes", r.Decision)
			}
			c.outcomes[r.Decision] = r.Status
			if r.Status == rationale.StatusUnknown {
				c.counts.unknown++
			}
		case *rationale.Lifecycle:
			for _, d := range r.Damage {
				if strings.Contains(d.Problem, "never used") {
					c.counts.unused++
				} else {
					c.counts.torn++
				}
			}
		}
	}
}

// compare checks that all that a process was told, or did, is in the journal.
func (c *checker) compare() error {
	answers, end, err := lines(c.options.answered(), c.answered)
	if err != nil {
		return err
	}
	c.answered = end
	if len(answers) == 0 {
		c.counts.empty++
	}
	for _, line := range answers {
		what, id, _ := strings.Cut(line, " ")
		verdict, recorded := c.decided[id]
		switch {
		case !recorded:
			c.violation("decision %s was acknowledged (%s) and is not in the journal", id, what)
		case what == "outcome":
			c.counts.outcomes++
			if c.outcomes[id] != rationale.StatusSuccess {
				c.violation("the outcome of decision %s was acknowledged, and the journal says %q", id, c.outcomes[id])
			}
		default:
			c.counts.decisions++
			if verdict.String() != what {
				c.violation("decision %s was %s, and the journal says %s", id, what, verdict)
			}
		}
	}
	ran, end, err := lines(c.options.executed(), c.executed)
	if err != nil {
		return err
	}
	c.executed = end
	for _, id := range ran {
		c.counts.ran++
		if verdict, ok := c.decided[id]; !ok || verdict != rationale.Allow {
			c.violation("the tool ran under decision %s, which the journal does not hold as allowed", id)
		}
	}
	for id, verdict := range c.decided {
		if _, ended := c.outcomes[id]; verdict == rationale.Allow && !ended {
			c.violation("decision %s has no outcome, not even unknown", id)
		}
	}
	return nil
}

// whole verifies the journal of all cycles at once.
func (c *checker) whole() error {
	for _, problem := range journal.Verify(journal.Expect{}, c.evidence()).Problems {
		c.violation("verify: %v", problem)
	}
	told, _, err := lines(c.options.violations(), 0)
	if err != nil {
		return err
	}
	c.violations = append(c.violations, told...)
	return nil
}

func (c *checker) print(took time.Duration) {
	files, _ := filepath.Glob(filepath.Join(c.evidence(), "*"+journal.Extension))
	size := int64(0)
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	slices.Sort(c.violations)
	fmt.Printf("processes killed      %d, of which %d before their first answer, in %s\n", c.cycles, c.counts.empty, took.Round(time.Second))
	fmt.Printf("acknowledged          %d decisions, %d outcomes\n", c.counts.decisions, c.counts.outcomes)
	fmt.Printf("in the journal        %d decisions, %d outcomes, of which %d unknown\n", len(c.decided), len(c.outcomes), c.counts.unknown)
	fmt.Printf("tools that ran        %d, each after an fsync of its decision\n", c.counts.ran)
	fmt.Printf("cut by opening        %d torn ends, %d segments that were never used\n", c.counts.torn, c.counts.unused)
	fmt.Printf("files                 %d segments, %d bytes\n", len(files), size)
	fmt.Printf("violations            %d\n", len(c.violations))
}
