package guard

import (
	"bytes"
	"context"
	"errors"

	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/rationale"
)

// erasable is what a host says of people whose data can be erased.
type erasable struct {
	keys    SubjectKeys
	subject func(Checked) string // nil: on whose behalf the call is
}

// subjectOf returns whose data a call carries; unknown where nobody can tell.
func (e *erasable) subjectOf(d *rationale.Decision, arguments []byte) (subject string, unknown bool, err error) {
	if e.subject != nil && arguments != nil {
		err = protect("the subject of the call", func() error {
			subject = e.subject(Checked{
				Agent: d.Agent, Tool: classify.ToolID{Server: d.Tool.Server, Name: d.Tool.Name}, Class: d.Class, Arguments: bytes.Clone(arguments),
			})
			return nil
		})
	}
	if subject == "" {
		subject = d.Agent.OnBehalfOf
	}
	return subject, subject == "" && e.subject != nil && arguments == nil, err
}

// seal puts the payload of a decision under the key of its subject, which is
// durable then, and returns the key; the zero key where it is nobody's. With an
// error the payload is gone.
func (g *Guard) seal(ctx context.Context, d *rationale.Decision, arguments []byte) (rationale.SubjectKey, error) {
	if g.erasable == nil {
		return rationale.SubjectKey{}, nil
	}
	subject, unknown, err := g.erasable.subjectOf(d, arguments)
	switch {
	case err != nil || unknown:
		d.Strip()
		d.Terms.OmitResult = true
		return rationale.SubjectKey{}, err
	case subject == "":
		return rationale.SubjectKey{}, nil
	}
	var key rationale.SubjectKey
	s := newStep(ctx)
	defer s.end()
	err = protect("the keys of subjects", func() (err error) {
		key, err = g.erasable.keys.Key(s, subject)
		return err
	})
	if err != nil {
		d.Strip()
		return rationale.SubjectKey{}, err
	}
	return key, d.Seal(key)
}

// Erase destroys the key of a subject whose data records are sealed with, for
// good, and records who did so, when, and why. Records stay as they are, and
// their chain whole; what they say of the subject can no longer be read in any
// copy of them. It reports whether there was a key. [WithErasure] is required.
//
// With an error the key may be destroyed and the record owed: Erase again ends
// it.
func (g *Guard) Erase(ctx context.Context, subject, by, why string) (bool, error) {
	if !g.usable() || g.erasable == nil {
		return false, configError("the guard was not made with WithErasure")
	}
	if ctx == nil {
		ctx = context.Background()
	}
	var found bool
	err := protect("the keys of subjects", func() (err error) {
		found, err = g.erasable.keys.Erase(ctx, subject, by, why, g.recordErasure)
		return err
	})
	if err != nil {
		return found, &Error{Code: CodeEvidence, Message: "the subject's data could not be erased, or not recorded to be", Err: err}
	}
	return found, nil
}

func (g *Guard) recordErasure(ctx context.Context, e rationale.Erasure) error {
	if e.Key == "" {
		return errors.New("an erasure names its key")
	}
	s := newStep(ctx)
	defer s.end()
	return g.record(s, e.At, []*rationale.Lifecycle{e.Record()})
}
