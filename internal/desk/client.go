package desk

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// ErrNoHost is the error of [Dial] where no host answers at a journal.
var ErrNoHost = errors.New("no host answers here")

// callTimeout bounds one call of a client: what the host takes, and sending.
const callTimeout = handleTimeout + 15*time.Second

// Dial returns the desk of whoever runs this process at the host that has the
// journal of a folder open, through its socket. [ErrNoHost] is the error where no
// socket is there, or nobody listens.
func Dial(ctx context.Context, dir string) (Desk, error) {
	conn, err := dial(ctx, dir)
	if err != nil {
		return nil, err
	}
	_ = conn.Close() // each call makes a connection of its own
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) },
		DisableKeepAlives: true,
	}
	return &client{http.Client{Transport: transport, Timeout: callTimeout}}, nil
}

type client struct{ http http.Client }

// call makes one request; a nil request only looks.
func (c *client) call(ctx context.Context, path string, request, response any) error {
	method, body := http.MethodGet, []byte(nil)
	if request != nil {
		var err error
		method = http.MethodPost
		if body, err = json.Marshal(request); err != nil {
			return fmt.Errorf("%w: %w", ledger.ErrRefused, err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://host"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	got, err := c.http.Do(r)
	if err != nil {
		return lost(request, err)
	}
	defer got.Body.Close()
	data, err := io.ReadAll(io.LimitReader(got.Body, maxResponse+1))
	if err == nil && len(data) > maxResponse {
		err = fmt.Errorf("more than %d bytes", maxResponse)
	}
	if err != nil {
		return lost(request, err)
	}
	if got.StatusCode != http.StatusOK {
		var failed wireError
		if json.Unmarshal(data, &failed) != nil || failed.Error == "" {
			return lost(request, errors.New(got.Status))
		}
		return failed.err()
	}
	if err := json.Unmarshal(data, response); err != nil {
		return lost(request, err)
	}
	return nil
}

// lost is the error of a call whose answer did not come, or cannot be read.
func lost(request any, err error) error {
	if request == nil || errors.Is(err, ErrNoHost) {
		return fmt.Errorf("the host's answer: %w", err)
	}
	return fmt.Errorf("the host's answer: %w: %w", err, journal.ErrUncertain)
}

func (c *client) Tickets(ctx context.Context) ([]Ticket, error) {
	got, err := answered[[]wireTicket](ctx, c, pathTickets, nil)
	if err != nil {
		return nil, err
	}
	return decodeTickets(got)
}

func (c *client) Answer(ctx context.Context, a Answer) (*rationale.Approval, error) {
	return recorded[*rationale.Approval](ctx, c, pathAnswer, a)
}

func (c *client) Reviews(ctx context.Context) ([]Owed, error) {
	got, err := answered[[]wireOwed](ctx, c, pathReviews, nil)
	if err != nil {
		return nil, err
	}
	return decodeOwed(got)
}

func (c *client) Review(ctx context.Context, r Review) (*rationale.Review, error) {
	return recorded[*rationale.Review](ctx, c, pathReview, r)
}

func (c *client) Held(ctx context.Context) ([]ledger.Held, error) {
	return answered[[]ledger.Held](ctx, c, pathHeld, nil)
}

func (c *client) Settle(ctx context.Context, s Settlement) (*rationale.Settlement, error) {
	return recorded[*rationale.Settlement](ctx, c, pathSettle, s)
}

func (c *client) Budgets(ctx context.Context) ([]ledger.Budget, error) {
	return answered[[]ledger.Budget](ctx, c, pathBudgets, nil)
}

func (c *client) Suspensions(ctx context.Context) ([]*rationale.Lifecycle, error) {
	got, err := answered[[]stdjson.RawMessage](ctx, c, pathSuspensions, nil)
	if err != nil {
		return nil, err
	}
	all := make([]*rationale.Lifecycle, len(got))
	for i, data := range got {
		if all[i], err = rationale.UnmarshalAs[*rationale.Lifecycle](data); err != nil {
			return nil, err
		}
		if all[i].Suspension == nil {
			return nil, fmt.Errorf("record %s suspends nothing", rationale.Printable(all[i].ID))
		}
	}
	return all, nil
}

func (c *client) Suspend(ctx context.Context, s Switch) (warning string, err error) {
	var got wireSuspended
	err = c.call(ctx, pathSuspend, s, &got)
	return got.Warning, err
}

func (c *client) Resume(ctx context.Context, s Switch) error {
	return c.call(ctx, pathResume, s, &struct{}{})
}

func (c *client) Unanswered(ctx context.Context) ([]ledger.UnansweredAudit, error) {
	return answered[[]ledger.UnansweredAudit](ctx, c, pathUnanswered, nil)
}

func (c *client) Audited(ctx context.Context, a Audited) (id string, err error) {
	return answered[string](ctx, c, pathAudited, a)
}

func (c *client) AnswerAudit(ctx context.Context, a AuditAnswer) error {
	return c.call(ctx, pathAnswerAudit, a, &struct{}{})
}

// answered calls what answers with a value.
func answered[T any](ctx context.Context, c *client, path string, request any) (T, error) {
	var value T
	err := c.call(ctx, path, request, &value)
	return value, err
}

// recorded calls what answers with the record that was made.
func recorded[R rationale.Record](ctx context.Context, c *client, path string, request any) (R, error) {
	data, err := answered[stdjson.RawMessage](ctx, c, path, request)
	if err != nil {
		var none R
		return none, err
	}
	return rationale.UnmarshalAs[R](data)
}
