package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/guard/guardtest"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/crashfs"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// asks returns a draft that waits for two of the on-call group.
func asks(action string) *rationale.Decision {
	d := guardtest.Pending()
	d.ActionDigest, d.Terms.ApproveQuorum = rationale.Digest([]byte(action)), 2
	return d
}

// presents returns a draft of the same call, with its ticket.
func presents(of *rationale.Decision) *rationale.Decision {
	d := guardtest.Pending()
	d.ActionDigest, d.Parent = of.ActionDigest, of.ID
	return d
}

func answers(of *rationale.Decision, by string, answer rationale.Answer) *rationale.Approval {
	a := &rationale.Approval{Ticket: of.ID, By: rationale.Person{ID: by, Groups: []string{"oncall"}}, Answer: answer}
	if answer == rationale.AnswerDeny {
		a.Why = "no"
	}
	return a
}

func TestPeopleAtAMemory(t *testing.T) {
	t.Run("with a recorder", func(t *testing.T) {
		guardtest.TestPeople(t, func(*testing.T) guardtest.PeopleLedger { return ledger.New(&guardtest.Recorder{}) })
	})
	t.Run("on a journal", func(t *testing.T) {
		guardtest.TestPeople(t, func(t *testing.T) guardtest.PeopleLedger { return openLedger(t, crashfs.New()) })
	})
}

func TestAnswersAndUsesSurviveARestart(t *testing.T) {
	for name, opts := range map[string][]journal.Option{
		"from all records": nil,
		"from a snapshot":  {journal.WithRotation(journal.Rotation{Records: 2})},
	} {
		t.Run(name, func(t *testing.T) {
			fs := crashfs.New()
			l := openLedger(t, fs, opts...)
			half, full, used, denied, replaced := asks("half"), asks("full"), asks("used"), asks("denied"), asks("replaced")
			for _, d := range []*rationale.Decision{half, full, used, denied, replaced} {
				require.NoError(t, l.Admit(ctx, d))
				require.NoError(t, l.Answer(ctx, answers(d, "sam", rationale.AnswerApprove)))
			}
			for _, d := range []*rationale.Decision{full, used, replaced} {
				require.NoError(t, l.Answer(ctx, answers(d, "kim", rationale.AnswerApprove)))
			}
			require.NoError(t, l.Answer(ctx, answers(denied, "kim", rationale.AnswerDeny)))
			use := presents(used)
			require.NoError(t, l.Admit(ctx, use))
			require.Equal(t, rationale.Allow, use.Verdict)
			dearer := presents(replaced)
			dearer.Checks = append(dearer.Checks, rationale.Check{Kind: rationale.CheckTrigger, ID: "escalate[1]", Result: rationale.Raised, To: classify.AuthorizationRequired})
			require.NoError(t, l.Admit(ctx, dearer))
			require.Equal(t, rationale.Pend, dearer.Verdict)
			fs.Unlock() // the process ends

			l = openLedger(t, fs, opts...)
			var open []string
			for _, p := range l.Tickets(time.Now()) {
				open = append(open, p.Decision.ID)
			}
			assert.ElementsMatch(t, []string{half.ID, full.ID, dearer.ID}, open)
			for what, d := range map[string]*rationale.Decision{
				"1 of 2": half, "it serves once": used, "denied: no": denied, "taken its place": replaced,
			} {
				again := presents(d)
				require.NoError(t, l.Admit(ctx, again))
				assert.Equal(t, rationale.Deny, again.Verdict, what)
				assert.Contains(t, again.Checks[len(again.Checks)-1].Message, what)
			}
			require.ErrorIs(t, l.Answer(ctx, answers(half, "SAM", rationale.AnswerApprove)), ledger.ErrRefused)
			again := presents(full)
			require.NoError(t, l.Admit(ctx, again))
			assert.Equal(t, rationale.Allow, again.Verdict)
			assert.Empty(t, journal.Verify(journal.Expect{FS: fs}, dir).Problems)
		})
	}
}

// What people say comes in by the methods that check it.
func TestRecordTakesNoAnswers(t *testing.T) {
	l := ledger.New(&guardtest.Recorder{})
	d := asks("a")
	require.NoError(t, l.Admit(ctx, d))
	for _, rec := range []rationale.Record{
		answers(d, "sam", rationale.AnswerApprove), &rationale.Review{ID: "r"}, presents(d), guardtest.OutcomeOf(d), nil, (*rationale.Lifecycle)(nil),
		&rationale.Lifecycle{ID: "l", Event: rationale.EventResumed, Suspension: &rationale.Suspension{Everything: true}},
	} {
		assert.Error(t, l.Record(ctx, rec))
	}
	assert.Empty(t, l.Tickets(time.Now())[0].Answers)
}

// A step that fails leaves an approval unused, and a denial in force only where it
// may be recorded.
func TestAFailedStepUsesNothing(t *testing.T) {
	var recorder guardtest.Recorder
	l := ledger.New(&recorder)
	d := asks("a")
	d.Terms.ApproveQuorum = 1
	require.NoError(t, l.Admit(ctx, d))
	require.NoError(t, l.Answer(ctx, answers(d, "sam", rationale.AnswerApprove)))
	recorder.Fail(syscall.ENOSPC)
	require.Error(t, l.Admit(ctx, presents(d)))
	require.Error(t, l.Answer(ctx, answers(d, "kim", rationale.AnswerDeny)))
	recorder.Fail(nil)
	use := presents(d)
	require.NoError(t, l.Admit(ctx, use))
	assert.Equal(t, rationale.Allow, use.Verdict)
	assert.ErrorIs(t, l.Answer(ctx, answers(d, "kim", rationale.AnswerDeny)), ledger.ErrRefused, "it is used")

	sampled := rationale.Approval{}
	assert.ErrorIs(t, l.Answer(ctx, &sampled), ledger.ErrRefused)
	assert.Error(t, l.Answer(ctx, nil))
	assert.Error(t, new(ledger.Memory).Answer(ctx, &sampled))
}

// A person who answers again, since the ledger did not say in time that it has the
// first answer, is still one person.
func TestOnePersonIsNoQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &slowDisk{FS: crashfs.New()}
		l, err := ledger.Open(dir, journal.WithFS(disk))
		require.NoError(t, err)
		defer l.Close()
		d := asks("a")
		require.NoError(t, l.Admit(ctx, d))
		entered, release := disk.hang()
		short, cancel := context.WithCancel(ctx)
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- l.Answer(short, answers(d, "sam", rationale.AnswerApprove)) }()
		<-entered
		cancel()
		require.ErrorIs(t, <-first, journal.ErrUncertain)
		go func() { second <- l.Answer(ctx, answers(d, "Sam", rationale.AnswerApprove)) }()
		synctest.Wait() // it was checked, and waits for the disk
		close(release)
		require.NoError(t, <-second)
		use := presents(d)
		require.NoError(t, l.Admit(ctx, use))
		assert.Equal(t, rationale.Deny, use.Verdict)
		assert.Contains(t, use.Checks[len(use.Checks)-1].Message, "1 of 2")
		require.NoError(t, l.Answer(ctx, answers(d, "kim", rationale.AnswerApprove)))
		use = presents(d)
		require.NoError(t, l.Admit(ctx, use))
		assert.Equal(t, rationale.Allow, use.Verdict)
	})
}

// What the ledger cannot know is held until it is known: a ticket whose use, or
// whose denial, may be on the disk lets nothing run.
func TestWhatMayBeRecordedHoldsTheTicket(t *testing.T) {
	for name, step := range map[string]func(context.Context, *ledger.Memory, *rationale.Decision) error{
		"its use": func(ctx context.Context, l *ledger.Memory, d *rationale.Decision) error {
			return l.Admit(ctx, presents(d))
		},
		"its denial": func(ctx context.Context, l *ledger.Memory, d *rationale.Decision) error {
			return l.Answer(ctx, answers(d, "kim", rationale.AnswerDeny))
		},
	} {
		t.Run(name, func(t *testing.T) {
			disk := &slowDisk{FS: crashfs.New()}
			l, err := ledger.Open(dir, journal.WithFS(disk))
			require.NoError(t, err)
			t.Cleanup(func() { _ = l.Close() })
			d := asks("a")
			d.Terms.ApproveQuorum = 1
			require.NoError(t, l.Admit(ctx, d))
			require.NoError(t, l.Answer(ctx, answers(d, "sam", rationale.AnswerApprove)))

			entered, release := disk.hang()
			short, cancel := context.WithCancel(ctx)
			done := make(chan error)
			go func() { done <- step(short, l, d) }()
			<-entered
			cancel()
			require.ErrorIs(t, <-done, journal.ErrUncertain)
			// What is judged before the disk answers, of those who do not wait for it.
			early := presents(d)
			require.Error(t, l.Admit(short, early))
			assert.Equal(t, rationale.Deny, early.Verdict)
			assert.Contains(t, early.Reasons, rationale.ApprovalInvalid)

			close(release)
			late := presents(d)
			require.NoError(t, l.Admit(ctx, late))
			assert.Equal(t, rationale.Deny, late.Verdict)
			assert.Contains(t, late.Reasons, rationale.ApprovalInvalid)
			require.ErrorIs(t, l.Answer(ctx, answers(d, "ann", rationale.AnswerDeny)), ledger.ErrRefused)
			assert.Empty(t, l.Tickets(time.Now()))
		})
	}
}

// checkApprovals reads records in order, and says what breaks the rules of approvals.
func checkApprovals(recs []rationale.Record) (problems []string) {
	tickets := make(map[string]*rationale.Decision)
	approved := make(map[string]map[string]string) // ticket → person → approval
	closed := make(map[string]string)
	for _, rec := range recs {
		switch r := rec.(type) {
		case *rationale.Approval:
			switch {
			case tickets[r.Ticket] == nil:
				problems = append(problems, "an answer to no ticket "+r.Ticket)
			case closed[r.Ticket] != "":
				problems = append(problems, fmt.Sprintf("an answer to %s, which was %s", r.Ticket, closed[r.Ticket]))
			case r.Answer == rationale.AnswerDeny:
				closed[r.Ticket] = "denied"
			default:
				approved[r.Ticket][strings.ToLower(r.By.ID)] = r.ID
			}
		case *rationale.Decision:
			if r.Ticket != nil {
				tickets[r.ID], approved[r.ID] = r, map[string]string{}
			}
			if r.Parent == "" || r.Verdict != rationale.Allow {
				if r.Parent != "" && r.Ticket != nil {
					closed[r.Parent] = "replaced"
				}
				continue
			}
			ticket := tickets[r.Parent]
			switch {
			case ticket == nil:
				problems = append(problems, r.ID+" uses no ticket")
			case closed[r.Parent] != "":
				problems = append(problems, fmt.Sprintf("%s uses %s, which was %s", r.ID, r.Parent, closed[r.Parent]))
			case len(approved[r.Parent]) < ticket.Ticket.Quorum:
				problems = append(problems, r.ID+" has no quorum")
			case ticket.ActionDigest != r.ActionDigest:
				problems = append(problems, r.ID+" is another action")
			case !r.At.Before(ticket.Ticket.Expires):
				problems = append(problems, r.ID+" is late")
			}
			closed[r.Parent] = "used"
		}
	}
	return problems
}

func TestTheCheckerOfApprovalsSeesEachFault(t *testing.T) {
	ticket := asks("a")
	rationale.Conclude(ticket)
	use := func() *rationale.Decision {
		d := presents(ticket)
		d.Approval = "x"
		rationale.Conclude(d)
		return d
	}
	yes := func(by string) rationale.Record { return answers(ticket, by, rationale.AnswerApprove) }
	other := use()
	other.ActionDigest = "sha256:b"
	late := use()
	late.At = ticket.Ticket.Expires
	assert.Empty(t, checkApprovals([]rationale.Record{ticket, yes("a"), yes("b"), use()}))
	for want, recs := range map[string][]rationale.Record{
		"uses no ticket":   {use()},
		"which was used":   {ticket, yes("a"), yes("b"), use(), use()},
		"which was denied": {ticket, yes("a"), yes("b"), answers(ticket, "c", rationale.AnswerDeny), use()},
		"has no quorum":    {ticket, yes("a"), yes("A"), use()},
		"another action":   {ticket, yes("a"), yes("b"), other},
		"is late":          {ticket, yes("a"), yes("b"), late},
	} {
		problems := checkApprovals(recs)
		require.Len(t, problems, 1, want)
		assert.Contains(t, problems[0], want)
	}
}

// Whatever is asked, answered and used, and wherever the disk fails and the machine
// ends, an approval is used at most once, and no denial that was reported is passed
// over.
func TestApprovalsUnderCrashes(t *testing.T) {
	uses, crashes := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		random := rand.New(rand.NewPCG(seed, 0))
		rotation := journal.WithRotation(journal.Rotation{Records: rapid.IntRange(2, 12).Draw(t, "rotation")})
		fs := crashfs.New()
		reopen := func() *ledger.Memory {
			l, err := ledger.Open(dir, journal.WithFS(fs), rotation)
			require.NoError(t, err)
			return l
		}
		l := reopen()
		defer func() { _ = l.Close() }()
		var asked []*rationale.Decision
		ran, denials := map[string]int{}, map[string]bool{} // that the ledger reported, by ticket
		people := []string{"sam", "kim", "ann", "SAM"}
		for range rapid.IntRange(10, 60).Draw(t, "steps") {
			if random.IntN(6) == 0 {
				after := random.IntN(4)
				fs.Inject(func(crashfs.Call) crashfs.Fault {
					if after--; after < 0 {
						return crashfs.Fault{Err: syscall.EIO}
					}
					return crashfs.Fault{}
				})
			}
			var of *rationale.Decision
			if len(asked) > 0 {
				of = asked[random.IntN(len(asked))]
			}
			switch op := random.IntN(10); {
			case op == 0:
				fs.Inject(nil)
				_ = l.Close()
				if random.IntN(2) == 0 {
					fs = fs.Crash(random)
				}
				crashes++
				l = reopen()
			case op < 3 || of == nil:
				d := asks(fmt.Sprint(random.IntN(3)))
				if l.Admit(ctx, d) == nil {
					asked = append(asked, d)
				}
			case op < 7:
				answer := rationale.AnswerApprove
				if random.IntN(6) == 0 {
					answer = rationale.AnswerDeny
				}
				if l.Answer(ctx, answers(of, people[random.IntN(4)], answer)) == nil && answer == rationale.AnswerDeny {
					denials[of.ID] = true
				}
			default:
				d := presents(of)
				if random.IntN(8) == 0 {
					d.Checks = append(d.Checks, rationale.Check{Kind: rationale.CheckTrigger, ID: "escalate[1]", Result: rationale.Raised, To: classify.AuthorizationRequired})
				}
				if l.Admit(ctx, d) != nil {
					break
				}
				if d.Ticket != nil {
					asked = append(asked, d)
				}
				if d.Verdict == rationale.Allow {
					ran[of.ID]++
					uses++
					if denials[of.ID] {
						t.Fatalf("ticket %s was used after its denial", of.ID)
					}
				}
			}
			fs.Inject(nil)
		}
		for ticket, n := range ran {
			if n > 1 {
				t.Fatalf("the approval of ticket %s let %d calls run", ticket, n)
			}
		}
		_ = l.Close()
		for _, problem := range checkApprovals(recorded(fs)) {
			t.Error(problem)
		}
	})
	assert.NotZero(t, uses)
	assert.NotZero(t, crashes)
}

// Who asks what will have expired by another time forgets nothing.
func TestAskingChangesNothing(t *testing.T) {
	l := ledger.New(&guardtest.Recorder{})
	d := asks("a")
	d.Terms.ApproveQuorum = 1
	require.NoError(t, l.Admit(ctx, d))
	tomorrow := d.At.Add(24 * time.Hour)
	assert.Empty(t, l.Tickets(tomorrow))
	assert.Zero(t, l.Status(tomorrow).Pending)
	late := answers(d, "sam", rationale.AnswerApprove)
	late.At = tomorrow
	require.ErrorIs(t, l.Answer(ctx, late), ledger.ErrRefused)
	assert.Len(t, l.Tickets(d.At), 1)
	require.NoError(t, l.Answer(ctx, answers(d, "sam", rationale.AnswerApprove)))
}

// Who approves again, not knowing whether the first time was recorded, is still one
// person.
func TestAnApprovalWhoseAnswerIsLostCountsOnce(t *testing.T) {
	disk := &slowDisk{FS: crashfs.New()}
	l, err := ledger.Open(dir, journal.WithFS(disk))
	require.NoError(t, err)
	d := asks("pay")
	require.NoError(t, l.Admit(ctx, d))
	entered, release := disk.hang()
	short, cancel := context.WithCancel(ctx)
	first, again := make(chan error), make(chan error)
	go func() { first <- l.Answer(short, answers(d, "sam", rationale.AnswerApprove)) }()
	<-entered
	cancel()
	require.ErrorIs(t, <-first, journal.ErrUncertain)
	asked := make(chan struct{}, 2)
	go func() { again <- l.Answer(told{ctx, asked}, answers(d, "Sam", rationale.AnswerApprove)) }()
	<-asked
	<-asked // it is queued behind the first
	close(release)
	require.NoError(t, <-again)
	for range 2 { // also for the next process
		use := presents(d)
		require.NoError(t, l.Admit(ctx, use))
		assert.Equal(t, []rationale.Reason{rationale.ApprovalRequired, rationale.ApprovalInvalid}, use.Reasons)
		require.NoError(t, l.Close())
		l, err = ledger.Open(dir, journal.WithFS(disk))
		require.NoError(t, err)
	}
	require.NoError(t, l.Close())
}
