// Package control lets people reach a running host: through a Unix socket in the
// folder of its ledger's journal, where `ambit approvals`, `reviews`, `budget`,
// `settle`, `suspend` and `resume` find it.
//
// Who acts is the OS user of the process at the other end, as the kernel tells,
// and the person that the authority matrix's users.local names for it. Nothing that
// is sent says who somebody is; root is nobody unless it is listed. A person can
// answer tickets and reviews, settle, suspend and resume, as far as the records and
// the matrix let that person, and look at what waits; there is nothing else to ask for.
//
// Who may enter the journal's folder may connect: give it a group, and that group
// the right to enter (chgrp, chmod g+x) but not to write, before the host starts. Run
// the host as an OS user that is not in users.local: whoever gets it to start a
// process connects as that user.
//
// The kernel tells who connects on Linux; elsewhere Listen fails.
package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/internal/desk"
)

// How long a connection may take for its parts, and how long Close waits for what
// has begun.
const (
	readTimeout  = 5 * time.Second
	writeTimeout = 30 * time.Second
	closeTimeout = 5 * time.Second

	maxHeader = 8 << 10 // bytes
)

// Server serves people at a socket until it is closed.
type Server struct {
	http  http.Server
	ended chan error
}

// Listen opens the socket control.sock in the folder of l's journal, and serves it
// until [Server.Close], or the end of the process. Who says which person an OS user
// is, as the guard's LocalUser does: it is asked for each request, so that a matrix
// that is reloaded counts from then on. A socket that another process left behind is
// replaced.
//
// It fails for a ledger without a journal ([ledger.New]) or with one that is
// closed, for a folder that others than its owner may write, and on systems other than
// Linux.
func Listen(l *ledger.Memory, who func(osUser string) (authority.User, error)) (*Server, error) {
	if l == nil || l.Journal() == nil || who == nil {
		return nil, errors.New("control: the socket needs a ledger with a journal (ledger.Open), and who people are (Guard.LocalUser)")
	}
	j := l.Journal()
	if err := j.Healthy(); err != nil { // and so its lock is ours
		return nil, fmt.Errorf("control: %w", err)
	}
	socket, err := desk.ListenSocket(j.Dir())
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	s := &Server{ended: make(chan error, 1)}
	s.http = http.Server{
		Handler: desk.Handler(desk.Over(l), func(ctx context.Context) (authority.User, error) {
			name, err := desk.Peer(ctx)
			if err != nil {
				return authority.User{}, err
			}
			return who(name)
		}),
		ReadTimeout: readTimeout, ReadHeaderTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: readTimeout,
		MaxHeaderBytes: maxHeader,
		ConnContext:    func(ctx context.Context, c net.Conn) context.Context { return desk.WithPeer(ctx, c) },
		ErrorLog:       log.New(io.Discard, "", 0), // what a peer sends is no news of the host
	}
	go func() { s.ended <- s.http.Serve(socket) }()
	return s, nil
}

// Close stops listening, removes the socket, and waits for requests that have
// begun, for at most 5 seconds; then it hangs up. Close it before the ledger. It
// returns why serving had ended before, if it had.
func (s *Server) Close() error {
	if s == nil || s.ended == nil {
		return nil // it never listened
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	ended := <-s.ended
	s.ended <- ended
	if errors.Is(ended, http.ErrServerClosed) {
		ended = nil
	}
	return errors.Join(err, ended)
}
