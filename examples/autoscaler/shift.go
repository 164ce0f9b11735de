package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/schema"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/einoguard"
	"github.com/ambit-go/ambit/guard/ledger"
)

// The simulated times. The documents in policy/ are dated to go with them: the
// autoscaler's authorization is due for review between the two mornings.
var (
	morning     = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	nextMorning = time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)
)

const (
	turnEvery   = 2 * time.Minute
	freezeAfter = 50 * time.Minute // a change freeze begins, for the rest of the morning
	drain       = 10 * time.Minute // after the trace, for requests on their way
)

// frozen is the host's fact change_freeze.
func frozen(now time.Time) bool {
	return !now.Before(morning.Add(freezeAfter)) && now.Before(morning.Add(24*time.Hour))
}

// shift lets the agent work: time passes, the agent gets a turn, and so on.
type shift struct {
	agent        *agent
	evidence     *evidence
	fleet        *fleet.Fleet
	screen       *screen
	conversation []adk.Message
	behind       *intruder       // nil: everything goes through the guard
	budgets      []ledger.Budget // when the trace has ended
}

// run follows the trace to its end and then takes one turn on a later morning.
// The score is that of the trace.
func (s *shift) run(ctx context.Context, length time.Duration) (fleet.Score, error) {
	announced := false
	for at := turnEvery; at == turnEvery || at <= length; at += turnEvery {
		s.fleet.Advance(morning.Add(at))
		if !announced && frozen(s.fleet.Now()) {
			announced = true
			s.screen.event(s.fleet.Now(), "a change freeze begins")
		}
		if err := s.turn(ctx, "2026-11-23"); err != nil {
			return fleet.Score{}, err
		}
		if err := s.behind.act(at); err != nil {
			return fleet.Score{}, err
		}
	}
	s.fleet.Advance(morning.Add(length + drain))
	score := s.fleet.Score()
	s.budgets = s.evidence.ledger.Budgets(s.fleet.Now())
	s.fleet.Repeat(nextMorning)
	s.screen.event(nextMorning, "six weeks later: the same load, the fleet as it was; the review of 30 December did not take place")
	s.fleet.Advance(nextMorning.Add(turnEvery))
	return score, s.turn(ctx, "2027-01-04")
}

// turn asks the agent to look after the fleet, and waits until it has finished. A
// call that pends interrupts the run, which goes on once people have answered.
func (s *shift) turn(ctx context.Context, session string) error {
	ctx = einoguard.WithInterrupts(guard.WithSession(ctx, guard.Session{ID: session}))
	s.conversation = append(s.conversation, schema.UserMessage(fmt.Sprintf(
		"It is %s. Look after the fleet.", s.fleet.Now().Format(time.RFC3339))))
	checkpoint := s.fleet.Now().Format(time.RFC3339)
	events := s.agent.runner.Run(ctx, s.conversation, adk.WithCheckPointID(checkpoint))
	for {
		waiting, err := s.follow(events)
		if err != nil || len(waiting) == 0 {
			return err
		}
		if err := s.askPeople(ctx, waiting); err != nil {
			return err
		}
		if events, err = s.agent.runner.ResumeWithParams(ctx, checkpoint, &adk.ResumeParams{Targets: waiting}); err != nil {
			return fmt.Errorf("the agent: %w", err)
		}
	}
}

// askPeople waits until people have answered the tickets for which a run was
// interrupted.
func (s *shift) askPeople(ctx context.Context, waiting map[string]any) error {
	s.fleet.Advance(s.fleet.Now().Add(thinking))
	for _, address := range slices.Sorted(maps.Keys(waiting)) {
		said, err := answer(ctx, s.evidence.ledger, waiting[address].(*einoguard.Pending).Ticket, s.fleet.Now())
		if err != nil {
			return err
		}
		s.screen.people(said)
	}
	return nil
}

// follow takes in what a run says until it ends. It returns the interrupts of
// calls that wait for people, by their addresses.
func (s *shift) follow(events *adk.AsyncIterator[*adk.AgentEvent]) (waiting map[string]any, err error) {
	waiting = map[string]any{}
	for {
		event, more := events.Next()
		if !more {
			return waiting, nil
		}
		if event.Action != nil && event.Action.Interrupted != nil {
			for _, c := range event.Action.Interrupted.InterruptContexts {
				if pending, ok := c.Info.(*einoguard.Pending); ok && c.IsRootCause {
					waiting[c.ID] = pending
				}
			}
		}
		if errors.Is(event.Err, adk.ErrExceedMaxIterations) {
			s.screen.event(s.fleet.Now(), fmt.Sprintf("the agent used up its %d steps for this turn", maxSteps))
			continue
		}
		if event.Err != nil {
			return nil, fmt.Errorf("the agent: %w", event.Err)
		}
		if event.Output == nil || event.Output.MessageOutput == nil {
			continue
		}
		message, err := event.Output.MessageOutput.GetMessage()
		if err != nil {
			return nil, fmt.Errorf("the agent: %w", err)
		}
		s.conversation = append(s.conversation, message)
		if message.Role == schema.Assistant && len(message.ToolCalls) == 0 {
			s.screen.closing(message.Content)
		}
	}
}
