package pgledger_test

import (
	"encoding/binary"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/pgserver"
)

// direction is that of what is sent.
type direction int

const (
	toServer direction = iota
	toClient
)

func (d direction) String() string { return [...]string{"to the server", "to the client"}[d] }

// proxy stands between clients and a server. Armed, it passes on so much more in one direction, then
// cuts every connection, and refuses others until it is healed.
type proxy struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	conns map[net.Conn]bool
	down  bool
	armed bool
	way   direction
	left  int  // units that are still passed on
	whole bool // units are messages of the protocol, and not bytes
	cut   func()
}

// newProxy returns a proxy to a server, and the URL of a database through it.
func newProxy(t testing.TB, s *pgserver.Server, database string) (*proxy, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: listener, server: s.Address(), conns: make(map[net.Conn]bool)}
	go p.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.breakAll()
	})
	parsed, err := url.Parse(database)
	require.NoError(t, err)
	return p, "postgres://postgres@" + listener.Addr().String() + parsed.Path + "?sslmode=disable"
}

// arm lets so many units more through in one direction. Then it cuts, and calls cut, if that is not
// nil, before anything else happens.
func (p *proxy) arm(way direction, whole bool, units int, cut func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.way, p.whole, p.left, p.cut = true, way, whole, units, cut
}

// heal lets everything through again, and reports whether it had been cut.
func (p *proxy) heal() (was bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was = p.down
	p.armed, p.down = false, false
	return was
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		p.mu.Lock()
		if err != nil || p.down {
			_ = client.Close()
			if err == nil {
				_ = server.Close()
			}
		} else {
			p.conns[client], p.conns[server] = true, true
			go p.pass(client, server, toServer)
			go p.pass(server, client, toClient)
		}
		p.mu.Unlock()
	}
}

// pass passes on one direction of a connection.
func (p *proxy) pass(from, to net.Conn, way direction) {
	m := messages{startup: way == toServer}
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		data := buffer[:n]
		p.mu.Lock()
		if p.armed && p.way == way && !p.down {
			units := m.units(data, p.whole)
			if len(units) > p.left {
				_, _ = to.Write(data[:units[p.left]])
				p.down = true
				if p.cut != nil {
					p.cut()
				}
				p.breakAll()
				p.mu.Unlock()
				return
			}
			p.left -= len(units)
		} else {
			m.units(data, true)
		}
		p.mu.Unlock()
		if n > 0 {
			if _, writeErr := to.Write(data); writeErr != nil {
				err = writeErr
			}
		}
		if err != nil {
			_, _ = from.Close(), to.Close()
			return
		}
	}
}

func (p *proxy) breakAll() {
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// messages follows the boundaries of messages in a stream.
type messages struct {
	startup bool // the next one has no type
	header  []byte
	rest    int // of the message that has begun
}

// units returns the offsets in data at which a unit begins.
func (m *messages) units(data []byte, whole bool) (begins []int) {
	for i := range data {
		if !whole {
			begins = append(begins, i)
		} else if m.rest == 0 && len(m.header) == 0 {
			begins = append(begins, i)
		}
		if m.rest > 0 {
			m.rest--
			continue
		}
		m.header = append(m.header, data[i])
		size := 5
		if m.startup {
			size = 4
		}
		if len(m.header) == size {
			m.rest = int(binary.BigEndian.Uint32(m.header[size-4:])) - 4
			m.header, m.startup = m.header[:0], false
		}
	}
	return begins
}
