package backends_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/backends"
)

// patience bounds every wait for a server. No test takes nearly as long on an idle machine.
const patience = 5 * time.Minute

// server is a process of a program. It can be killed and started again, with
// the same configuration and ports.
type server struct {
	path    string
	args    []string
	env     []string
	health  string // a URL that answers 200 once the server takes requests
	log     string // file
	metrics string // a URL, if there are any
	cmd     *exec.Cmd
	ended   chan struct{}
}

// newServer prepares a process, and does not start it. At the test's end it is killed, and what it
// logged is shown if the test failed. A test whose program is not built is skipped.
func newServer(t *testing.T, p backends.Program, health string, env []string, args ...string) *server {
	t.Helper()
	s := &server{
		path: program(t, p), args: args, env: append(os.Environ(), env...), health: health,
		log: filepath.Join(t.TempDir(), string(p)+".log"),
	}
	t.Cleanup(func() {
		s.kill(t)
		if t.Failed() {
			t.Logf("the last lines of %s:\n%s", p, tail(s.log, 30))
		}
	})
	return s
}

// start runs the server and returns once it is healthy. The process does not outlive the test's deadline.
func (s *server) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer log.Close()
	ctx, cancel := context.WithCancel(context.Background())
	if end, ok := t.Deadline(); ok {
		ctx, cancel = context.WithDeadline(context.Background(), end.Add(-5*time.Second))
	}
	s.cmd = exec.CommandContext(ctx, s.path, s.args...)
	s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = s.env, log, log
	require.NoError(t, s.cmd.Start())
	ended := make(chan struct{})
	s.ended = ended
	go func() {
		defer cancel()
		defer close(ended)
		_ = s.cmd.Wait() // killed, or the log says why
	}()
	eventually(t, "the server answers "+s.health, func() (bool, error) {
		select {
		case <-ended:
			return false, fmt.Errorf("it ended by itself:\n%s", tail(s.log, 20))
		default:
		}
		answer, err := http.Get(s.health)
		if err != nil {
			return false, nil
		}
		return answer.StatusCode == http.StatusOK, answer.Body.Close()
	})
}

// kill ends the process with SIGKILL, if it runs, and returns once it is gone.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil {
		require.ErrorIs(t, err, os.ErrProcessDone)
	}
	<-s.ended
	s.cmd = nil
}

// eventually asks until the answer is yes, and fails the test after patience, or with the first error.
func eventually(t *testing.T, what string, reached func() (bool, error)) {
	t.Helper()
	timeout := time.After(patience)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		ok, err := reached()
		require.NoError(t, err, what)
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-timeout:
			require.FailNow(t, "waited for "+patience.String()+" until "+what)
		}
	}
}

var ports = struct {
	sync.Mutex
	given map[int]bool
}{given: map[int]bool{}}

// address returns a free address, which no connection takes while the server is
// down: it lies below the ports that systems give to clients.
func address(t *testing.T) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range 1000 {
		port := 15000 + rand.IntN(15000)
		if ports.given[port] {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		require.NoError(t, listener.Close())
		ports.given[port] = true
		return listener.Addr().String()
	}
	require.FailNow(t, "no free port between 15000 and 30000")
	return ""
}

func tail(name string, lines int) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
