package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store/redis"
)

const password = "hunter2secret"

func TestAddress(t *testing.T) {
	for _, url := range []string{
		"redis://127.0.0.1:6379",
		"redis://127.0.0.1:6379/3",
		"rediss://user:" + password + "@redis.example:6380/0",
		"redis://:" + password + "@[::1]",
		"redis://127.0.0.1:6379?read_timeout=1s",
	} {
		t.Run(url, func(t *testing.T) {
			s, err := redis.New(url, "vendor")
			require.NoError(t, err)
			assert.Equal(t, "redis", s.Kind())
			assert.NoError(t, s.Close())
		})
	}
}

func TestAddressThatIsNone(t *testing.T) {
	for _, url := range []string{
		"",
		password,
		"http://:" + password + "@127.0.0.1",
		"redis://:" + password + "@127.0.0.1:port",
		"redis://:" + password + "%zz@127.0.0.1",
		"redis://:12345/" + password + "@127.0.0.1:6379/0",
		"redis://" + password + "#@127.0.0.1",
		"redis://:12345?" + password + "@127.0.0.1:6379/0",
		"redis://127.0.0.1/" + password,
		"redis://127.0.0.1/0?dial_timeout=" + password,
		"redis://:" + password + "@127.0.0.1?pool_size=-1",
		"redis://:" + password + "@127.0.0.1?pool_size=10001",
		"redis://:" + password + "@127.0.0.1?max_idle_conns=-1",
		"redis://:" + password + "@127.0.0.1?max_active_conns=2147483648",
		"redis://:" + password + "@127.0.0.1?max_retries=-2",
		"redis://:" + password + "@127.0.0.1?max_retries=11",
	} {
		t.Run(url, func(t *testing.T) {
			s, err := redis.New(url, "vendor")
			require.ErrorContains(t, err, "redis://")
			assert.Nil(t, s)
			assertSecret(t, err)
		})
	}
}

func TestNewDialsNothing(t *testing.T) {
	l := listen(t)
	open(t, "redis://"+l.Addr().String())

	mine, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer func() { _ = mine.Close() }()
	first, err := l.Accept()
	require.NoError(t, err)
	defer func() { _ = first.Close() }()
	assert.Equal(t, mine.LocalAddr().String(), first.RemoteAddr().String(), "somebody dialled before")
}

func TestServerDown(t *testing.T) {
	l := listen(t)
	require.NoError(t, l.Close())
	s := open(t, "redis://:"+password+"@"+l.Addr().String())
	for name, call := range methods(s) {
		t.Run(name, func(t *testing.T) {
			err := call(t.Context())
			require.ErrorContains(t, err, "redis: ")
			assertSecret(t, err)
		})
	}
}

// What goes wrong is told by errors. This test runs the one above in a process
// of its own, since go-redis holds on to the stderr that it started with.
func TestNothingOnStderr(t *testing.T) {
	var stderr bytes.Buffer
	again := exec.Command(os.Args[0], "-test.run=^TestServerDown$")
	again.Stderr = &stderr
	require.NoError(t, again.Run())
	assert.Empty(t, stderr.String())
}

// Old servers and proxies quote what they do not understand, and the password
// is in the first command of a connection.
func TestServerThatQuotesThePassword(t *testing.T) {
	s := open(t, "redis://:"+password+"@"+serve(t, func(conn net.Conn) {
		received := make([]byte, 4096)
		for {
			n, err := conn.Read(received)
			if err != nil {
				return
			}
			quoted := strings.ReplaceAll(string(received[:n]), "\r\n", " ")
			if _, err := fmt.Fprintf(conn, "-ERR unknown command, with args beginning with: %s\r\n", quoted); err != nil {
				return
			}
		}
	}))
	err := s.Ping(t.Context())
	require.ErrorContains(t, err, "unknown command")
	assertSecret(t, err)
}

// No other end is set to a read, so a call that does not heed its context hangs.
func TestCallEndsWithItsContext(t *testing.T) {
	for name := range methods(nil) {
		t.Run(name, func(t *testing.T) {
			asked, _, url := silent(t)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-asked
				cancel()
			}()
			call := methods(open(t, url+"?read_timeout=-1"))[name]
			require.ErrorIs(t, call(ctx), context.Canceled)
		})
	}
}

// A connection on which an answer may still come is of no use to anybody.
func TestConnectionEndsWithTheDeadline(t *testing.T) {
	_, left, url := silent(t)
	s := open(t, url+"?read_timeout=-1")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Ping(ctx), context.DeadlineExceeded)
	<-left
}

// silent returns the address of a server that answers nothing. It tells when it
// is asked, and when a client has left.
func silent(t *testing.T) (asked, left <-chan struct{}, url string) {
	t.Helper()
	questions, ends := make(chan struct{}, 100), make(chan struct{}, 100)
	address := serve(t, func(conn net.Conn) {
		defer func() { ends <- struct{}{} }()
		received := make([]byte, 4096)
		for {
			if _, err := conn.Read(received); err != nil {
				return
			}
			questions <- struct{}{}
		}
	})
	return questions, ends, "redis://" + address
}

// assertSecret says that nothing of the address is in what is printed of err.
func assertSecret(t *testing.T, err error) {
	t.Helper()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "error", err)
	for _, printed := range []string{fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), log.String()} {
		assert.NotContains(t, printed, password)
		assert.NotContains(t, printed, "@127.0.0.1")
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// serve lets handle speak on every connection, and returns the address.
func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			}()
		}
	}()
	return l.Addr().String()
}
