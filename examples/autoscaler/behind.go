package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// intruder is somebody who has the agent's credentials and goes around the guard,
// and who can touch the evidence: what -behind-the-back plants, and an audit must find.
// A nil one does nothing.
type intruder struct {
	fleet *fleet.Fleet
	done  int // acts
}

// invented is no decision's id, though it looks like one.
const invented = "019ac0de-0000-7000-8000-00000000c0de"

const acts = 3

// act does what the intruder does after a turn.
func (i *intruder) act(at time.Duration) error {
	if i == nil {
		return nil
	}
	var last fleet.Action
	if log := i.fleet.Log(); len(log) > 0 {
		last = log[len(log)-1]
	}
	var err error
	switch {
	case i.done == 0 && at >= 20*time.Minute: // what the guard denied the agent
		err = i.fleet.Route("", "eu-central-1", 45)
	case i.done == 1 && at >= 34*time.Minute:
		err = i.fleet.Scale(invented, "writer", "eu-central-1", 20)
	case i.done == 2 && at >= 40*time.Minute && last.Name == "resize":
		// A session that was opened for a decision, used once more, for two nodes more.
		args := strings.Fields(last.Args)
		err = i.fleet.Resize(last.Decision, args[0], args[1], args[2], i.fleet.Nodes(args[0], args[1])+2)
	default:
		return nil
	}
	i.done++
	return err
}

// tamper cuts one record of the closed journal, of a call that acted, and holds back
// the last file of the event log.
func (i *intruder) tamper(dir string, trail []string) error {
	if i == nil {
		return nil
	}
	if i.done < acts {
		return errors.New("the trace is too short to do all of it behind the guard's back: want an hour, such as the one built in")
	}
	last := trail[len(trail)-1]
	delayed := filepath.Join(dir, "delayed")
	if err := errors.Join(os.MkdirAll(delayed, 0o700), os.Rename(last, filepath.Join(delayed, filepath.Base(last)))); err != nil {
		return err
	}
	for entry, err := range journal.Read(dir) {
		if err != nil {
			return err
		}
		d, ok := entry.Record.(*rationale.Decision)
		if ok && d.Verdict == rationale.Allow && d.Effect == "write" && !d.At.Before(morning.Add(10*time.Minute)) {
			return blot(entry)
		}
	}
	return errors.New("no call acted whose record could be cut")
}

// blot makes a record's line unreadable, where it stands.
func blot(e journal.Entry) (err error) {
	file, err := os.OpenFile(e.File, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = file.WriteAt(make([]byte, len(e.Envelope.Body)), e.Offset)
	return err
}
