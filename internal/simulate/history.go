package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// history is one run of a plan: what happens, and what everybody sees of it.
type history struct {
	plan *Plan
	s    *scheduler
	r    *rand.Rand // of the step that is tried

	// The time goes on with elapsed. A host's clock is off by its own amount; the
	// log's by the last.
	elapsed atomic.Int64
	off     []atomic.Int64

	fs      *crashfs.FS
	sick    trouble
	forgot  bool // the kernel may show what the disk never got
	log     *Log
	latest  time.Time  // that the log's clock ever said, or the journal's
	network bool       // loses and delays what is sent
	packets []*request // on their way, for as long as it takes

	// A steady history has no hold of anything: its operations come one after
	// another, and ledgers are opened by somebody else.
	steady bool
	now    func() time.Time
	opens  Opener

	lives  []*life // at work, by replica
	trace  trace
	lastID int
}

// newHistory returns the history of a plan, before its first step.
func newHistory(p *Plan) *history {
	h := &history{plan: p, s: newScheduler(), off: make([]atomic.Int64, p.World.Replicas+1)}
	h.r = rand.New(rand.NewPCG(p.Seed, uint64(p.History)+1<<32))
	if p.World.Home == OnFiles {
		h.fs = crashfs.New()
	} else {
		h.log = NewLog(h.logTime)
	}
	h.lives = make([]*life, p.World.Replicas)
	return h
}

// run makes the history.
func (h *history) run() error {
	defer h.abandon()
	for i := range h.lives {
		if err := h.open(i); err != nil {
			return err
		}
	}
	for _, step := range h.plan.Steps {
		h.r = rand.New(rand.NewPCG(step.Seed, 1))
		h.pass()
		if err := h.try(step); err != nil {
			return err
		}
		for range step.Moves {
			if moved, err := h.move(); err != nil || !moved {
				if err != nil {
					return err
				}
				break
			}
		}
	}
	h.r = rand.New(rand.NewPCG(h.plan.Seed, uint64(h.plan.History)+2<<32))
	return h.conclude()
}

// pass lets some time pass: mostly little, now and then enough for windows to slide,
// tickets to expire and leases to end.
func (h *history) pass() {
	d := time.Duration(1 + h.r.Int64N(int64(2*time.Second)))
	if h.log != nil && len(h.s.all()) > 0 { // who waits for a database does not wait for minutes
		d /= 4
	}
	switch n := h.r.IntN(12); {
	case h.log != nil && len(h.s.all()) > 0:
	case n < 2:
		d = time.Duration(h.r.Int64N(int64(4 * time.Minute)))
	case n == 2:
		d = time.Duration(h.r.Int64N(int64(40 * time.Minute)))
	case n < 6:
		d = max(d, h.untilAnEdge())
	}
	h.elapsed.Add(int64(d))
	h.read()
}

// read takes down what the journal's clock says after a change of the time.
func (h *history) read() {
	if now := h.hostTime(0); h.fs != nil && now.After(h.latest) {
		h.latest = now
	}
}

// untilAnEdge returns the time until about when a call leaves a window that slides,
// when it is decided most closely whether it counts.
func (h *history) untilAnEdge() time.Duration {
	was := h.pick(func(e *event) bool { return e.allowed() && len(e.d.Limits) > 0 })
	if was == nil {
		return 0
	}
	per, err := time.ParseDuration(was.d.Limits[h.r.IntN(len(was.d.Limits))].Per)
	if err != nil {
		return 0
	}
	edge := was.d.CountedAt.Add(per + time.Duration(h.r.Int64N(int64(per/20))) - per/60)
	return edge.Sub(h.hostTime(0))
}

// hostTime is what a replica's own clock says, logTime the log's.
func (h *history) hostTime(replica int) time.Time {
	if h.steady {
		return h.now()
	}
	return epoch.Add(time.Duration(h.elapsed.Load() + h.off[replica].Load()))
}

func (h *history) logTime() time.Time {
	now := epoch.Add(time.Duration(h.elapsed.Load() + h.off[len(h.off)-1].Load()))
	if now.After(h.latest) {
		h.latest = now
	}
	return now
}

// id returns an id that this history uses once, and that is the same each time.
func (h *history) id() string {
	h.lastID++
	return fmt.Sprintf("%08x-%04x-7%03x-8000-%012x", uint32(h.plan.Seed), uint16(h.plan.History>>12), h.plan.History&0xfff, h.lastID)
}

// open begins a process on a replica. On a log it is there at once, and on files
// when its journal is open.
func (h *history) open(replica int) error {
	l := &life{replica: replica, n: len(h.trace.lives) + 1}
	h.lives[replica] = l
	h.trace.lives = append(h.trace.lives, &span{replica: replica, begin: h.moment()})
	if h.log != nil {
		n, m, err := newNode(h.log, h.plan.World.Rotate, &nodeHooks{h, l})
		if err != nil {
			return &Violation{Rule: "a replica starts", Detail: err.Error()}
		}
		l.node, l.ledger, l.opened = n, m, m
		return nil
	}
	l.disk = &disk{FS: h.fs, s: h.s, life: l}
	t := &task{life: l}
	h.s.add(t)
	opts := []journal.Option{
		journal.WithFS(l.disk), journal.WithClock(func() time.Time { return h.hostTime(replica) }),
		journal.WithRotation(journal.Rotation{Records: h.plan.World.Rotate}),
		journal.WithObserver(func(rec rationale.Record, _ journal.Position) { l.answered(h.s, rec) }),
	}
	h.s.start(t, queued, func(context.Context) {
		m, err := ledger.Open(folder, opts...)
		if l.failed = err; err == nil {
			l.opened = m
		}
	})
	return h.quiet()
}

// quiet waits until nobody runs, and takes notice of what has ended.
func (h *history) quiet() error {
	ended, err := h.s.quiet()
	if err != nil {
		return err
	}
	for _, t := range ended {
		if t.event != nil {
			h.noticed(t)
			continue
		}
		l := t.life
		switch {
		case l.dead, t.health:
		case l.failed == nil:
			l.ledger = l.opened
			life := h.trace.lives[l.n-1]
			life.ready = h.moment()
			for _, s := range l.ledger.Suspensions() {
				life.suspended = append(life.suspended, s.Message)
			}
		case !h.trace.troubledSince(h.trace.lives[l.n-1].begin):
			return &Violation{Rule: "a journal opens after whatever happened", Detail: l.failed.Error()}
		default:
			h.heal()
			h.fs.Unlock()
			if h.forgot {
				h.fs, h.forgot = h.fs.Crash(h.r), false
				h.trace.lives[l.n-1].power = true
			}
			h.s.die(l)
			if err := h.open(l.replica); err != nil {
				return err
			}
		}
	}
	return nil
}

// move lets one of those who are parked go on, or delivers what is on its way. It
// reports whether there was anything.
func (h *history) move() (bool, error) {
	seats := h.s.all()
	n := len(seats) + len(h.packets)
	if n == 0 {
		return false, nil
	}
	if i := h.r.IntN(n); i < len(seats) {
		h.s.release(seats[i])
	} else {
		i -= len(seats)
		_, _ = h.log.append(h.packets[i])
		h.packets = append(h.packets[:i:i], h.packets[i+1:]...)
	}
	return true, h.quiet()
}

// letOn lets those go on of whom a condition holds, as long as there are any.
func (h *history) letOn(who func(*seat) bool) error {
	for {
		seats := h.s.all()
		i := slices.IndexFunc(seats, who)
		if i < 0 {
			return nil
		}
		h.s.release(seats[i])
		if err := h.quiet(); err != nil {
			return err
		}
	}
}

// maxMoves is far more than what is begun in a history takes.
const maxMoves = 20_000

// settleDown moves until a condition holds, or everything has ended.
func (h *history) settleDown(until func() bool) error {
	for n := 0; !until(); n++ {
		if n == maxMoves {
			return violated("everything that was begun ends", "%d moves were made", n)
		}
		if moved, err := h.move(); err != nil || !moved {
			return err
		}
	}
	return nil
}

// ready moves until a replica's process is at work, and returns it.
func (h *history) ready(replica int) (*life, error) {
	err := h.settleDown(func() bool { return h.lives[replica].ledger != nil })
	return h.lives[replica], err
}

// kill ends a process, wherever it is, and begins another. With power its machine
// ends too, and what was not synced is lost.
func (h *history) kill(replica int, power bool) error {
	if err := h.end(replica, power); err != nil {
		return err
	}
	return h.open(replica)
}

func (h *history) end(replica int, power bool) error {
	l := h.lives[replica]
	// A kernel that forgot what it should have synced shows it to the next process
	// until the machine ends: see docs/rough-edges.md.
	power = power || h.forgot
	span := h.trace.lives[l.n-1]
	span.end, span.power = h.moment(), power
	tasks := h.s.die(l)
	if l.disk != nil {
		l.disk.end(h.r.IntN(600))
	}
	for _, t := range tasks {
		if t.event != nil || t.health { // who opens a journal finds out by itself
			t.stop(errDead)
		}
	}
	for {
		if err := h.quiet(); err != nil {
			return err
		}
		released := false
		for _, p := range h.s.all() {
			if p.life == l {
				h.s.release(p)
				released = true
				break
			}
		}
		if !released {
			break
		}
	}
	if l.disk == nil {
		return nil
	}
	if l.opened != nil {
		if err := closed(l.opened); errors.Is(err, errStuck) { // another is that of a disk that is gone
			return err
		}
	}
	h.fs.Unlock()
	if power {
		h.fs, h.forgot = h.fs.Crash(h.r), false
		h.sicken(h.sick)
	}
	return nil
}

// sicken makes the disk of the machine fail from now on, heal makes it work.
func (h *history) sicken(what trouble) {
	h.forgot = h.forgot || what == lossy
	if h.sick = what; what != healthy {
		h.trace.trouble(h.moment(), 0)
		inject(h.fs, what, h.r)
		return
	}
	h.fs.Inject(nil)
}

func (h *history) heal() {
	h.sick, h.network = healthy, false
	for _, s := range h.trace.troubles {
		if s.end == 0 {
			s.end = h.moment()
		}
	}
	if h.fs != nil {
		h.fs.Inject(nil)
	}
}

// abandon ends every process, for nobody is left behind when a history fails.
func (h *history) abandon() {
	for i, l := range h.lives {
		if l != nil && !l.dead {
			_ = h.end(i, false)
		}
	}
}

// moment returns the next moment.
func (h *history) moment() int {
	h.trace.moments++
	return h.trace.moments
}

// conclude ends a history: everything works again, whoever is at work ends, and what
// is still open gets its outcome.
func (h *history) conclude() error {
	h.heal()
	if h.r.IntN(2) == 0 {
		if err := h.settleDown(func() bool { return false }); err != nil {
			return err
		}
	}
	for i := range h.lives {
		if err := h.kill(i, h.fs != nil && h.r.IntN(2) == 0); err != nil {
			return err
		}
	}
	if err := h.settleDown(func() bool { return false }); err != nil {
		return err
	}
	if h.log == nil {
		return h.readFiles()
	}
	h.elapsed.Add(int64(2 * time.Hour)) // every lease has passed
	return h.readLog()
}

// closed closes a ledger, which ends its journal's goroutine.
func closed(l *ledger.Memory) error {
	ended := make(chan error, 1)
	go func() { ended <- l.Close() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(stuckAfter):
		return errStuck
	}
}

// readFiles reads what is on disk after the last opening.
func (h *history) readFiles() error {
	h.s.die(h.lives[0]) // its disk works, and nobody stops it
	if err := closed(h.lives[0].opened); err != nil {
		return &Violation{Rule: "a journal closes", Detail: err.Error()}
	}
	if v := journal.Verify(journal.Expect{FS: h.fs}, folder); len(v.Problems) > 0 {
		return &Violation{Rule: "the journal can be verified", Detail: fmt.Sprint(v.Problems)}
	}
	for e, err := range journal.ReadFS(h.fs, folder) {
		if err != nil {
			if journal.Torn(err) {
				continue
			}
			return &Violation{Rule: "the journal can be read", Detail: err.Error()}
		}
		h.trace.records = append(h.trace.records, e.Record)
	}
	return nil
}
