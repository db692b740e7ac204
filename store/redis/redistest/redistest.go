//go:build e2e

// Package redistest starts real Redis servers for tests, and takes them down
// in the ways that servers go down.
package redistest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	Address   string // HOST:PORT
	tb        testing.TB
	folder    string
	arguments []string
	process   *exec.Cmd // nil where it has ended
}

// Start starts a server, with more arguments where some are given. It ends with the
// test. Where there is no redis-server the test fails.
func Start(tb testing.TB, arguments ...string) *Server {
	tb.Helper()
	return start(tb, append([]string{"--save", "", "--appendonly", "yes", "--appendfsync", "always", "--masterauth", password}, arguments...))
}

// StartCluster starts a Cluster of two servers with half of the slots each, and
// returns its address.
func StartCluster(tb testing.TB) (address string) {
	tb.Helper()
	servers, buses := make([]*Server, 2), make([]string, 2)
	for i, slots := range [][2]int{{0, 8191}, {8192, 16383}} {
		buses[i] = portOf(freeAddress(tb))
		servers[i] = Start(tb, "--cluster-enabled", "yes", "--cluster-port", buses[i])
		require.NoError(tb, servers[i].Client().ClusterAddSlotsRange(tb.Context(), slots[0], slots[1]).Err())
	}
	client := servers[0].Client()
	require.NoError(tb, client.Do(tb.Context(), "CLUSTER", "MEET", "127.0.0.1", portOf(servers[1].Address), buses[1]).Err())
	for _, s := range servers {
		client := s.Client()
		require.Eventually(tb, func() bool {
			info, err := client.ClusterInfo(tb.Context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:2")
		}, 15*time.Second, 5*time.Millisecond, "the servers do not make a Cluster")
	}
	return servers[0].URL() + "?addr=" + servers[1].Address
}

// StartSentinel starts a Sentinel that watches a server, and returns the address
// that names that server, once it knows of the server's replicas. The Sentinel
// needs half a second to find a server down.
func StartSentinel(tb testing.TB, server *Server, replicas int) (address string) {
	tb.Helper()
	settings := filepath.Join(tb.TempDir(), "sentinel.conf") // which the Sentinel rewrites
	require.NoError(tb, os.WriteFile(settings, fmt.Appendf(nil, "sentinel monitor kol 127.0.0.1 %s 1\nsentinel auth-pass kol %q\n"+
		"sentinel down-after-milliseconds kol 500\nsentinel failover-timeout kol 5000\n", portOf(server.Address), password), 0o600))
	sentinel := start(tb, []string{settings, "--sentinel"})
	client := goredis.NewSentinelClient(&goredis.Options{Addr: sentinel.Address, Password: password})
	defer func() { _ = client.Close() }()
	require.Eventually(tb, func() bool {
		known, err := client.Replicas(tb.Context(), "kol").Result()
		known = slices.DeleteFunc(known, func(replica map[string]string) bool { return replica["master-link-status"] != "ok" })
		return err == nil && len(known) == replicas
	}, 15*time.Second, 5*time.Millisecond, "the Sentinel does not find the replicas")
	return sentinel.URL() + "?master_name=kol&password=" + url.QueryEscape(password)
}

func start(tb testing.TB, arguments []string) *Server {
	tb.Helper()
	s := &Server{Address: freeAddress(tb), tb: tb, folder: tb.TempDir(), arguments: arguments}
	tb.Cleanup(s.Kill)
	s.Restart()
	return s
}

// freeAddress returns an address on which nobody listens.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	require.NoError(tb, err)
	require.NoError(tb, l.Close())
	return l.Addr().String()
}

func portOf(address string) string {
	_, port, _ := strings.Cut(address, ":")
	return port
}

// Client returns a client of this server, until the test ends.
func (s *Server) Client() *goredis.Client {
	client := goredis.NewClient(&goredis.Options{Addr: s.Address, Password: password})
	s.tb.Cleanup(func() { _ = client.Close() })
	return client
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
	process := exec.Command("redis-server", append(slices.Clone(s.arguments), //nolint:gosec,noctx // the test's own arguments; Kill ends it
		"--bind", "127.0.0.1", "--port", portOf(s.Address), "--dir", s.folder, "--loglevel", "warning", "--requirepass", password)...)
	process.Stdout = s.tb.Output()
	require.NoError(s.tb, process.Start(), "this test needs redis-server: apt-get install redis-server")
	s.process = process

	client := s.Client()
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
