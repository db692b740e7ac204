//go:build e2e

// Package redistest starts real Redis servers for tests, and takes them down
// in the ways that servers go down.
package redistest

import (
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

const password = "right/#?%hunter2secret" // of every server

// Server is a redis-server process on a port of 127.0.0.1 that nobody else
// uses. What it has acknowledged is on disk and there again after Restart.
//
// Its methods are for the test's own goroutine.
type Server struct {
	Address string // HOST:PORT
	tb      testing.TB
	folder  string
	process *exec.Cmd // nil where it has ended
}

// Start starts a server, which ends with the test. Where there is no
// redis-server the test fails.
func Start(tb testing.TB) *Server {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	require.NoError(tb, err)
	require.NoError(tb, l.Close())
	s := &Server{Address: l.Addr().String(), tb: tb, folder: tb.TempDir()}
	tb.Cleanup(s.Kill)
	s.Restart()
	return s
}

// URL is the server's address with the password.
func (s *Server) URL() string { return "redis://:" + url.QueryEscape(password) + "@" + s.Address }

// Kill ends the server at once, as kill -9 does. It does nothing where it has
// ended already.
func (s *Server) Kill() {
	if s.process != nil {
		_ = s.process.Process.Kill() // it may be gone already
		_ = s.process.Wait()         // killed, which is no news
		s.process = nil
	}
}

// Restart kills the server, unless that was done, and starts it on the same
// port with what it had acknowledged. It returns when the server answers.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Kill()
	_, port, _ := strings.Cut(s.Address, ":")
	process := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", s.folder, //nolint:gosec,noctx // the test's own arguments; Kill ends it
		"--loglevel", "warning", "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--requirepass", password)
	process.Stdout = s.tb.Output()
	require.NoError(s.tb, process.Start(), "this test needs redis-server: apt-get install redis-server")
	s.process = process

	client := goredis.NewClient(&goredis.Options{Addr: s.Address, Password: password})
	defer func() { _ = client.Close() }()
	own := fmt.Sprintf("process_id:%d\r\n", process.Process.Pid) // another server may have been faster to take the port
	require.Eventually(s.tb, func() bool {
		info, err := client.Info(s.tb.Context(), "server").Result()
		return err == nil && strings.Contains(info, own)
	}, 15*time.Second, 5*time.Millisecond, "redis-server does not start; its log is above")
}

// Pause stops the server without ending it: connections are accepted by the
// kernel, and nothing is answered. It returns when the server has stopped.
func (s *Server) Pause() {
	s.tb.Helper()
	require.NoError(s.tb, s.process.Process.Signal(syscall.SIGSTOP))
	_, err := syscall.Wait4(s.process.Process.Pid, nil, syscall.WUNTRACED, nil)
	require.NoError(s.tb, err)
}

// Resume ends what Pause began.
func (s *Server) Resume() {
	s.tb.Helper()
	require.NoError(s.tb, s.process.Process.Signal(syscall.SIGCONT))
}
