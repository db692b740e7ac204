//go:build e2e

package redistest

import (
	"net"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Start takes another port then.
func TestPortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	s := &Server{tb: t, folder: t.TempDir(), port: l.Addr().(*net.TCPAddr).Port}
	require.ErrorContains(t, s.start(), "already in use")
	assert.Nil(t, s.process)
}

func TestServersAreSeparate(t *testing.T) {
	one, other := Start(t), Start(t)
	assert.NotEqual(t, one.URL(), other.URL())
	one.Kill()
	one.Kill()
	require.Error(t, ping(t, one.URL()))
	require.NoError(t, ping(t, other.URL()))
	one.Restart()
	require.NoError(t, ping(t, one.URL()))
	one.Restart()
	require.NoError(t, ping(t, one.URL()))
}

func TestPausedServerCanBeKilled(t *testing.T) {
	s := Start(t)
	s.Pause()
	s.Restart()
	require.NoError(t, ping(t, s.URL()))
}

func TestPassword(t *testing.T) {
	s := StartWithPassword(t, "p@ss/word")
	require.NoError(t, ping(t, s.URL()))
	require.Error(t, ping(t, "redis://"+s.address()))
}

func ping(t *testing.T, url string) error {
	t.Helper()
	options, err := goredis.ParseURL(url)
	require.NoError(t, err)
	client := goredis.NewClient(options)
	defer func() { _ = client.Close() }()
	return client.Ping(t.Context()).Err()
}
