package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// handleTimeout bounds one request, from when it was read.
const handleTimeout = 15 * time.Second

// Handler serves the desks of a ledger. Who tells, from the context of the
// connection, which person a request comes from; nothing in the request does.
func Handler(l Ledger, who func(ctx context.Context) (authority.User, error)) http.Handler {
	h := handler{l, who}
	mux := http.NewServeMux()
	look(mux, h, pathTickets, func(ctx context.Context, d Desk) (any, error) {
		all, err := d.Tickets(ctx)
		if err != nil {
			return nil, err
		}
		return encodeTickets(all)
	})
	look(mux, h, pathReviews, func(ctx context.Context, d Desk) (any, error) {
		all, err := d.Reviews(ctx)
		if err != nil {
			return nil, err
		}
		return encodeOwed(all)
	})
	look(mux, h, pathHeld, func(ctx context.Context, d Desk) (any, error) { return d.Held(ctx) })
	look(mux, h, pathBudgets, func(ctx context.Context, d Desk) (any, error) { return d.Budgets(ctx) })
	look(mux, h, pathSuspensions, func(ctx context.Context, d Desk) (any, error) {
		all, err := d.Suspensions(ctx)
		if err != nil {
			return nil, err
		}
		return encodeRecords(all)
	})
	act(mux, h, pathAnswer, func(ctx context.Context, d Desk, a Answer) (any, error) { return record(d.Answer(ctx, a)) })
	act(mux, h, pathReview, func(ctx context.Context, d Desk, r Review) (any, error) { return record(d.Review(ctx, r)) })
	act(mux, h, pathSettle, func(ctx context.Context, d Desk, s Settlement) (any, error) { return record(d.Settle(ctx, s)) })
	act(mux, h, pathSuspend, func(ctx context.Context, d Desk, s Switch) (any, error) {
		warning, err := d.Suspend(ctx, s)
		return wireSuspended{warning}, err
	})
	act(mux, h, pathResume, func(ctx context.Context, d Desk, s Switch) (any, error) { return struct{}{}, d.Resume(ctx, s) })
	look(mux, h, pathUnanswered, func(ctx context.Context, d Desk) (any, error) { return d.Unanswered(ctx) })
	act(mux, h, pathAudited, func(ctx context.Context, d Desk, a Audited) (any, error) { return d.Audited(ctx, a) })
	act(mux, h, pathAnswerAudit, func(ctx context.Context, d Desk, a AuditAnswer) (any, error) {
		return struct{}{}, d.AnswerAudit(ctx, a)
	})
	return mux
}

type handler struct {
	ledger Ledger
	who    func(ctx context.Context) (authority.User, error)
}

func record[R rationale.Record](rec R, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	all, err := encodeRecords([]R{rec})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

func look(mux *http.ServeMux, h handler, path string, f func(ctx context.Context, d Desk) (any, error)) {
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		h.serve(w, r, f)
	})
}

func act[T any](mux *http.ServeMux, h handler, path string, f func(ctx context.Context, d Desk, request T) (any, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		h.serve(w, r, func(ctx context.Context, d Desk) (any, error) {
			var request T
			body := http.MaxBytesReader(w, r.Body, maxRequest)
			if err := json.UnmarshalRead(body, &request, json.RejectUnknownMembers(true)); err != nil {
				return nil, badRequest{err}
			}
			return f(ctx, d, request)
		})
	})
}

// badRequest is the error of a request that cannot be read.
type badRequest struct{ err error }

func (b badRequest) Error() string {
	if _, ok := errors.AsType[*http.MaxBytesError](b.err); ok {
		return fmt.Sprintf("the request is too large: at most %d bytes", maxRequest)
	}
	return "the request cannot be read: " + b.err.Error()
}

// serve finds out who asks, before anything of the request is looked at, and what
// was begun is ended also for somebody who does not wait.
func (h handler) serve(w http.ResponseWriter, r *http.Request, f func(ctx context.Context, d Desk) (any, error)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), handleTimeout)
	defer cancel()
	user, err := h.who(ctx)
	if err != nil {
		reply(w, http.StatusForbidden, wireError{"not_permitted", err.Error()})
		return
	}
	result, err := f(ctx, At(h.ledger, user))
	if bad, ok := errors.AsType[badRequest](err); ok {
		reply(w, http.StatusBadRequest, wireError{"invalid", bad.Error()})
		return
	}
	if err != nil {
		code, status := codeOf(err)
		reply(w, status, wireError{code, err.Error()})
		return
	}
	reply(w, http.StatusOK, result)
}

func reply(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"code":"failed","error":"the answer cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Connection", "close") // one request each: no connection is kept for nothing
	w.WriteHeader(status)
	_, _ = w.Write(data) // whoever asked may have gone
}
