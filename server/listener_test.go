package server

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQueueHandsOverWhoIsWaiting(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	q := &queue{Listener: listener}
	var waiting []string
	for range 20 {
		conn, err := net.Dial("tcp", q.Addr().String())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		waiting = append(waiting, conn.LocalAddr().String())
	}
	require.True(t, q.end(t.Context()))
	var accepted []string
	for range waiting {
		conn, err := q.Accept()
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		accepted = append(accepted, conn.RemoteAddr().String())
	}
	assert.Equal(t, waiting, accepted)
	_, err = q.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = net.Dial("tcp", q.Addr().String())
	require.Error(t, err, "nobody else is let in")
}
