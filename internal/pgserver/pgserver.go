// Package pgserver starts PostgreSQL servers of their own for tests and
// measurements, from the programs that are installed.
package pgserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// HowToInstall says how a machine gets the programs.
const HowToInstall = "apt-get install postgresql, or put the folder of initdb and postgres on PATH"

// ErrMissing is the error of a machine without PostgreSQL.
var ErrMissing = errors.New("PostgreSQL is not installed: " + HowToInstall)

// patience bounds the start and the end of a server.
const patience = 2 * time.Minute

// Server is a PostgreSQL server in a temporary folder, with a Unix socket and a TCP
// port of its own on this machine, to which everybody here may connect as its
// superuser. Its durability is that of a real one: what it acknowledged is fsynced.
// It does not outlive the process that started it, where the system can see to that.
// Its methods must not be called at the same time.
type Server struct {
	bin     string
	dir     string
	port    int
	options []string
	cmd     *exec.Cmd
	log     *tail
	ended   chan struct{}
}

// New makes a database cluster and starts a server on it. Options are settings, as in
// "max_connections=50". Without PostgreSQL on the machine the error is [ErrMissing].
func New(ctx context.Context, options ...string) (*Server, error) {
	bin, err := folder()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, options: options}
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("pgserver: %w", err), os.RemoveAll(dir))
	}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// folder returns where initdb and postgres are: on PATH, or the latest version that
// the system's packages put elsewhere.
func folder() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	latest, found := 0, ""
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb"} {
		paths, _ := filepath.Glob(pattern) // the pattern is well formed
		for _, path := range paths {
			bin := filepath.Dir(path)
			version := strings.TrimPrefix(filepath.Base(filepath.Dir(bin)), "pgsql-")
			if n, err := strconv.Atoi(version); err == nil && n > latest {
				latest, found = n, bin
			}
		}
	}
	if found == "" {
		return "", ErrMissing
	}
	return found, nil
}

func (s *Server) create(ctx context.Context) error {
	if err := own(s.dir); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "--pgdata="+s.data(), "--username=postgres",
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	attributes, err := account()
	if err != nil {
		return err
	}
	cmd.SysProcAttr, cmd.Dir = attributes, s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	// The port stays the same over restarts, so it is none that clients are given.
	s.port, err = freePort()
	return err
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Start starts the server again after [Server.Kill] or [Server.Stop], and returns once
// it takes connections.
func (s *Server) Start(ctx context.Context) error {
	attributes, err := account()
	if err != nil {
		return err
	}
	args := []string{"-D", s.data(), "-k", s.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port)}
	for _, o := range slices.Concat([]string{"max_connections=200", "shared_buffers=32MB", "logging_collector=off"}, s.options) {
		args = append(args, "-c", o)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	cmd.SysProcAttr, cmd.Dir = attributes, s.dir
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("pgserver: %w", err)
	}
	s.cmd, s.log, s.ended = cmd, new(tail), make(chan struct{})
	ready := make(chan struct{})
	go s.watch(out, ready)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-ready:
		return nil
	case <-s.ended:
		return fmt.Errorf("pgserver: it ended by itself:\n%s", s.log)
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("pgserver: it does not start: %w\n%s", context.Cause(ctx), s.log), s.Kill())
	}
}

// watch reads what a server says until it ends, and then waits for it.
func (s *Server) watch(out io.Reader, ready chan<- struct{}) {
	defer close(s.ended)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		s.log.add(lines.Text())
		if ready != nil && strings.Contains(lines.Text(), "database system is ready to accept connections") {
			close(ready)
			ready = nil
		}
	}
	_, _ = io.Copy(io.Discard, out) // behind a line that is too long
	_ = s.cmd.Wait()                // it was killed, or the log says why
}

// Kill ends the server as a crash does, with SIGKILL, and returns once none of its
// processes runs any more. A server that has ended is left alone.
func (s *Server) Kill() error { return s.end(os.Kill) }

// Stop ends the server in order: what runs is rolled back.
func (s *Server) Stop() error { return s.end(os.Interrupt) }

func (s *Server) end(signal os.Signal) error {
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("pgserver: %w", err)
	}
	// The processes of the server hold its output: it ends with the last of them.
	select {
	case <-s.ended:
	case <-time.After(patience):
		return fmt.Errorf("pgserver: it does not end:\n%s", s.log)
	}
	s.cmd = nil
	return nil
}

// Close kills the server and removes its folder.
func (s *Server) Close() error { return errors.Join(s.Kill(), os.RemoveAll(s.dir)) }

// Address returns its host and port, for TCP.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns how to connect to a database as its superuser, over the Unix socket.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@/%s?host=%s&port=%d", database, s.dir, s.port)
}

// Log returns the last lines that the server said.
func (s *Server) Log() string { return s.log.String() }

// tail keeps the last lines of a log. It is safe for concurrent use.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	if len(t.lines) > 100 {
		t.lines = slices.Delete(t.lines, 0, 50)
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

// freePort returns a port that nothing listens on and that no connection takes while
// the server is down: it lies below those that systems give to clients.
func freePort() (int, error) {
	for range 100 {
		port := 15000 + rand.IntN(15000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		return port, listener.Close()
	}
	return 0, errors.New("no free port between 15000 and 30000")
}
