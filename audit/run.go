package audit

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// Config is one run of an audit.
type Config struct {
	Document *Document // required
	// Since and Until say which time is judged: events and decisions from Since
	// on, before Until. Zero: what the document says, else all there is, up to
	// Now. What may still be delivered at Until is too early to say.
	Since, Until time.Time
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Findings is called with each finding, in the order of time, from one
	// goroutine; its error ends the run. Nil: they are only counted.
	Findings func(Finding) error
	// Only names the kinds of findings that are given out; nil: all.
	Only []Kind
	// Progress is called now and then while much is read, and once when all is; nil:
	// nobody asks. Calls come one after the other, from two goroutines.
	Progress func(Progress)
	// Record says that the result is going to be recorded: Report.Results.
	Record bool
	// TempDir is where what does not fit into memory is put, in a folder of its
	// own that is removed again. Empty: os.TempDir.
	TempDir string
}

// Report is what a run found, without the findings themselves.
type Report struct {
	ID           string
	Since, Until time.Time // what was judged; a zero Since: from the beginning
	Coverage     Coverage
	Timeline     Timeline
	Logs         []LogReport
	Absent       []string // agents that no event of any log names
	RecordGaps   []RecordGap
	Records      RecordReport
	Problems     []Problem // of the event logs
	MoreProblems int       // beyond those
	Score        Score

	results   *results
	from      time.Time // Config.Since
	before    *state    // of an earlier run
	state     state
	statePath string
}

// RecordReport says what was read of the journals.
type RecordReport struct {
	Decisions   int // of all agents
	First, Last time.Time
}

// Problem is something in an event log that could not be read. The rest was.
type Problem struct {
	Log     string
	File    string
	Offset  int64 // of the first byte, in what the file holds unpacked; -1: the file as a whole
	Problem string
}

// Whole reports whether everything could be read.
func (r *Report) Whole() bool { return len(r.Problems) == 0 && len(r.RecordGaps) == 0 }

// Memory is what a run needs at most, in bytes, for a program that gives it to
// [debug.SetMemoryLimit]: without a limit, Go lets garbage pile up to as much again.
const Memory = 320 << 20

// Run reads the logs and the records of the document, joins them, and returns
// what it found. Logs and records that cannot be read, in part or at all, are in
// the report, and the rest is judged. The error is that of the context, of
// Config.Findings, or of temporary files.
//
// It needs the same memory however many events and records there are, and about
// their size in temporary files.
func Run(ctx context.Context, c Config) (Report, error) {
	if c.Document == nil {
		return Report{}, errors.New("audit: there is no document")
	}
	dir, err := os.MkdirTemp(c.TempDir, "ambit-audit-")
	if err != nil {
		return Report{}, err
	}
	defer os.RemoveAll(dir)
	before, err := c.Document.readState()
	if err != nil {
		return Report{}, err
	}
	r := newRun(ctx, c, dir)
	r.before, r.found.before = before, before.Until
	if err := r.all(); err != nil {
		return Report{}, err
	}
	return r.report, nil
}

// run is one run.
type run struct {
	ctx     context.Context
	c       Config
	doc     *Document
	disk    *disk
	report  Report
	events  *sorter // by identity
	records *recordReader
	names   *nameFilter // of decisions: their ids, and those that their outcomes have
	effects bool        // there are any of the latter
	found   *findings
	results *results
	before  *state // of an earlier run
	logs    logTimes
	joiner  *joiner

	progress progress
}

func newRun(ctx context.Context, c Config, dir string) *run {
	doc, disk := c.Document, &disk{dir: dir}
	if c.Now == nil {
		c.Now = time.Now
	}
	from := c.Since
	if c.Since.IsZero() {
		c.Since = doc.since
	}
	if c.Until.IsZero() {
		if c.Until = doc.until; c.Until.IsZero() {
			c.Until = c.Now()
		}
	}
	only := map[Kind]bool{}
	for _, k := range c.Only {
		only[k] = true
	}
	r := &run{ctx: ctx, c: c, doc: doc, disk: disk, before: &state{}, events: newSorter(disk), results: newResults(doc)}
	r.progress.tell = c.Progress
	r.records = newRecordReader(doc, disk, r.results)
	r.records.progress = &r.progress
	r.records.source = journal.ReadBodies
	r.report = Report{ID: doc.ID, Since: c.Since, Until: c.Until, from: from, statePath: doc.state}
	judged := c.Until
	if now := c.Now(); now.Before(judged) { // of what is to come, nothing is judged
		judged = now
	}
	r.report.state = state{Audit: doc.ID, Until: judged, Files: map[string]fileState{}, Recorded: c.Record}
	r.found = &findings{
		doc: doc, since: c.Since, until: c.Until, rows: newSorter(disk), timeline: newTimeline(), results: r.results,
		wanted:   func(k Kind) bool { return c.Findings != nil && (c.Only == nil || only[k]) },
		coverage: Coverage{Findings: map[Kind]int{}},
	}
	r.joiner = &joiner{ctx: ctx, doc: doc, disk: disk, decisions: &table{disk: disk}, found: r.found, before: newLeftover(disk), left: newLeftover(disk)}
	return r
}

func (r *run) all() error {
	defer r.drop()
	if r.c.Progress != nil {
		r.progress.size(r.doc.sizeOfLogs())
	}
	var wg sync.WaitGroup
	var failed [2]error
	wg.Go(func() { failed[0] = r.readLogs() })
	wg.Go(func() { failed[1] = r.records.readAll(r.ctx) })
	wg.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		return err
	}
	r.progress.joining()
	for _, step := range []func() error{r.decide, r.join, r.judge, r.giveOut} {
		if err := step(); err != nil {
			return err
		}
	}
	r.report.Coverage = r.found.coverage
	r.report.Coverage.Decisions, r.report.Coverage.OtherRecords = r.records.read-r.records.foreign, r.records.foreign
	r.found.timeline.end(timelineBars)
	r.report.Timeline, r.report.Logs = *r.found.timeline, r.logs.logs
	r.report.RecordGaps = r.records.gaps.list
	r.report.Records = RecordReport{r.records.read, r.records.first, r.records.last}
	r.report.results, r.report.before = r.results, r.before
	r.report.Score = scoreOf(&r.report)
	return nil
}

// timelineBars is how many bars a report shows.
const timelineBars = 60

func (r *run) drop() {
	for _, s := range []*sorter{r.events, r.records.rows, r.records.lapse, r.found.rows, r.joiner.before.events, r.joiner.left.events} {
		s.drop()
	}
	r.joiner.decisions.drop()
}

const (
	maxProblems     = 1000
	maxFileProblems = 20
)

// readLogs reads all logs into rows by what makes events one.
func (r *run) readLogs() error {
	var row rowOut
	read, named := int64(0), make([]bool, len(r.doc.agents))
	for i := range r.doc.logs {
		l := &r.doc.logs[i]
		tracker := newLogTracker(l)
		of := map[string]int{}
		reader := newLogReader(r.doc, i)
		reader.files, reader.before, reader.after = &r.found.files, r.before, r.report.state.Files
		reader.problem = func(file string, offset int64, err error) {
			tracker.broken(file, err.Error())
			of[file]++
			if len(r.report.Problems) >= maxProblems || of[file] > maxFileProblems {
				r.report.MoreProblems++
				return
			}
			r.report.Problems = append(r.report.Problems, Problem{l.name, rationale.Printable(file), offset, rationale.Printable(err.Error())})
		}
		reader.yield = func(e *event) error {
			tracker.event(r.found.files[e.file], e.at)
			if e.agent >= 0 {
				named[e.agent] = true
			}
			return r.events.add(identity(e), e.summary(&row))
		}
		reader.progress = func(bytes int64) { r.progress.read(read + bytes) }
		if err := reader.read(r.ctx); err != nil {
			return err
		}
		read += reader.done
		r.progress.read(read)
		tracker.report.Files = reader.opened
		since := r.found.since
		if r.before.Until.After(since) {
			since = r.before.Until
		}
		r.logs.logs = append(r.logs.logs, tracker.end(since, r.found.until))
		r.logs.delay = max(r.logs.delay, l.delay)
	}
	for i := range named {
		if !named[i] {
			r.report.Absent = append(r.report.Absent, r.doc.agents[i].id)
		}
	}
	return nil
}

// decide puts decisions and outcomes together.
func (r *run) decide() error {
	r.names, r.effects = newNameFilter(2*r.records.read), r.records.withEffects > 0
	return r.joiner.decisions.fill(func(write func(*decision) error) error {
		return r.records.eachDecision(func(d *decision) error {
			r.names.add(d.id)
			for _, name := range d.effects {
				r.names.add(name)
			}
			return write(d)
		})
	})
}

// join assigns events to decisions.
func (r *run) join() error {
	round, err := r.candidates()
	if err != nil {
		return err
	}
	if err := r.joiner.strong(round); err != nil {
		return err
	}
	return r.joiner.weak()
}

// judge looks at the decisions that no event was joined with, and at what people
// settled.
func (r *run) judge() error {
	return r.joiner.decisions.each(func(d *decision) error {
		return errors.Join(r.found.silence(d, &r.logs), r.found.settled(d))
	})
}

// giveOut calls Config.Findings.
func (r *run) giveOut() error {
	if r.c.Findings == nil {
		return nil
	}
	times := r.doc.times
	n := &nearby{doc: r.doc, slack: times.window + times.skew}
	if r.found.nearest {
		byTime := newSorter(r.disk)
		var row rowOut
		if err := r.joiner.decisions.each(func(d *decision) error {
			row.reset()
			d.encode(&row)
			return byTime.add(timeKey(d.at), row)
		}); err != nil {
			return err
		}
		next, done, err := byTime.cursor()
		if err != nil {
			return err
		}
		defer done()
		n.rows = &peeked{next: next}
		if err := n.rows.advance(); err != nil {
			return err
		}
	}
	var failed error
	complete := func(f *Finding) {
		if f.Nearest, failed = n.of(f); failed == nil {
			r.nameGap(f)
		}
	}
	return r.found.each(complete, func(f Finding) error {
		if failed != nil {
			return failed
		}
		return r.c.Findings(f)
	})
}

// nameGap names the gap of a journal that the record of an event may be lost in.
func (r *run) nameGap(f *Finding) {
	for i := range r.records.gaps.list {
		g := &r.records.gaps.list[i]
		if g.around(f.At, r.doc.times.window) {
			f.Gap = g.String()
			f.Why += "; a record of it may be lost: " + f.Gap
			return
		}
	}
}
