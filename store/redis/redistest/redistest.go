//go:build e2e

// Package redistest starts real Redis servers for tests, and takes them down
// in the ways that servers go down.
package redistest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

const (
	startTimeout  = 15 * time.Second // until a server answers
	startAttempts = 10
)

// Server is a redis-server process on a port of 127.0.0.1 that nobody else
// uses. What it has acknowledged is on disk and there again after Restart.
//
// Its methods are for the test's own goroutine, but for URL, which is for all.
type Server struct {
	tb       testing.TB
	folder   string
	password string
	port     int

	process *exec.Cmd
	output  *output
}

// Start starts a server that lets everybody in. It ends with the test. Where
// there is no redis-server the test fails.
func Start(tb testing.TB) *Server {
	tb.Helper()
	return StartWithPassword(tb, "")
}

// StartWithPassword starts a server that asks for a password, unless it is
// empty.
func StartWithPassword(tb testing.TB, password string) *Server {
	tb.Helper()
	_, err := exec.LookPath("redis-server")
	require.NoError(tb, err, "this test needs redis-server: apt-get install redis-server")
	s := &Server{tb: tb, folder: tb.TempDir(), password: password}
	tb.Cleanup(s.Kill)
	for range startAttempts {
		s.port = freePort(tb)
		if err = s.start(); err == nil {
			return s
		}
	}
	require.NoError(tb, err, "redis-server does not start")
	return nil
}

// URL is the server's address, the password included.
func (s *Server) URL() string {
	u := url.URL{Scheme: "redis", Host: s.address(), Path: "/0"}
	if s.password != "" {
		u.User = url.UserPassword("", s.password)
	}
	return u.String()
}

// Kill ends the server at once, as kill -9 does. It does nothing where it has
// ended already.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill() // it may be gone already
	s.output.wait()
	_ = s.process.Wait() // killed, which is no news
	s.process = nil
}

// Restart kills the server, unless that was done, and starts it on the same
// port with what it had acknowledged.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Kill()
	var err error
	for range startAttempts {
		if err = s.start(); err == nil {
			return
		}
	}
	require.NoError(s.tb, err, "redis-server does not start again")
}

// Pause stops the server without ending it: connections are accepted by the
// kernel, and nothing is answered.
func (s *Server) Pause() {
	s.tb.Helper()
	require.NoError(s.tb, s.process.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err := syscall.Wait4(s.process.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(s.tb, err)
	require.True(s.tb, status.Stopped(), "redis-server ended when it was to stop")
}

// Resume ends what Pause began.
func (s *Server) Resume() {
	s.tb.Helper()
	require.NoError(s.tb, s.process.Process.Signal(syscall.SIGCONT))
}

// start runs redis-server until it answers. A server that cannot have its port
// ends by itself, which ends its output too.
func (s *Server) start() error {
	process := exec.Command("redis-server", //nolint:gosec,noctx // the test's own arguments; Kill ends it
		"--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.folder,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always",
		"--maxmemory-policy", "noeviction", "--requirepass", s.password)
	stdout, err := process.StdoutPipe()
	if err != nil {
		return err
	}
	process.Stderr = process.Stdout
	if err := process.Start(); err != nil {
		return err
	}
	s.process, s.output = process, read(stdout)

	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.await(ctx); err != nil {
		s.Kill()
		return fmt.Errorf("redis-server on port %d: %w; it said:\n%s", s.port, err, s.output.text())
	}
	return nil
}

// await returns when the server has said that it is ready, and it was this one
// that answered.
func (s *Server) await(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.output.done:
		return io.ErrUnexpectedEOF
	case <-s.output.ready:
	}
	client := goredis.NewClient(&goredis.Options{Addr: s.address(), Password: s.password, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()
	return client.Ping(ctx).Err()
}

func (s *Server) address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
}

// freePort returns a port that nobody listens on. Somebody may before the
// server does, and then it takes another.
func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	require.NoError(tb, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// output is what a server has written so far.
type output struct {
	ready chan struct{} // closed when it takes connections
	done  chan struct{} // closed when it writes no more

	mu    sync.Mutex
	lines []string
}

func read(r io.Reader) *output {
	o := &output{ready: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(o.done)
		isReady := false
		for lines := bufio.NewScanner(r); lines.Scan(); {
			o.add(lines.Text())
			if !isReady && strings.Contains(lines.Text(), "Ready to accept connections") {
				isReady = true
				close(o.ready)
			}
		}
	}()
	return o
}

func (o *output) add(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, line)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}

func (o *output) wait() { <-o.done }
