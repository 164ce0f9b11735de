package desk

import (
	"context"
	"errors"
	"net"
	"sync"
)

// socketName is the file of the socket, in a journal's folder.
const socketName = "control.sock"

// maxPerUser bounds the connections of one OS user at a time, so that nobody keeps
// others from the kill switch.
const maxPerUser = 32

// peerConn is a connection with the OS user at its other end.
type peerConn struct {
	net.Conn
	uid  uint32
	done func()
}

func (c *peerConn) Close() error {
	c.done()
	return c.Conn.Close()
}

type peerKey struct{}

// WithPeer returns a context that knows from which OS user a connection comes that
// a [Socket] accepted; for http.Server.ConnContext.
func WithPeer(ctx context.Context, conn net.Conn) context.Context {
	if p, ok := conn.(*peerConn); ok {
		return context.WithValue(ctx, peerKey{}, p.uid)
	}
	return ctx
}

// Peer returns the name of the OS user that [WithPeer] has put there.
func Peer(ctx context.Context) (string, error) {
	uid, ok := ctx.Value(peerKey{}).(uint32)
	if !ok {
		return "", errors.New("nobody knows which OS user asks")
	}
	return userName(uid)
}

// perUser counts connections by OS user.
type perUser struct {
	mu    sync.Mutex
	count map[uint32]int
}

// enter reports whether one more connection of a user is taken; leave ends it.
func (p *perUser) enter(uid uint32) (leave func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count[uid] >= maxPerUser {
		return nil, false
	}
	p.count[uid]++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.count[uid]--; p.count[uid] == 0 {
			delete(p.count, uid)
		}
	}), true
}
