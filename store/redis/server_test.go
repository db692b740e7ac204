//go:build e2e

package redis

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/redis/redistest"
)

const prefix = "kol-portrait:{vendor}:"

// admin is a client beside the store.
func admin(t *testing.T, server *redistest.Server) *goredis.Client {
	t.Helper()
	options, err := goredis.ParseURL(server.URL())
	require.NoError(t, err)
	client := goredis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestServerGoesAndComesBack(t *testing.T) {
	server := redistest.Start(t)
	s, charge := open(t, server.URL()), store.Charge{ID: "kept", Day: "2026-11-22"}
	require.NoError(t, s.Save(t.Context(), kept(1)))
	_, err := s.Acquire(t.Context(), "held", "A", time.Hour)
	require.NoError(t, err)
	_, err = s.Charge(t.Context(), charge, 1)
	require.NoError(t, err)

	server.Kill()
	for name, call := range calls(s) {
		require.Error(t, call(t.Context()), name)
	}
	server.Restart()
	require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, 10*time.Second, 10*time.Millisecond)

	p, err := s.Newest(t.Context(), "kept")
	require.NoError(t, err)
	assert.Equal(t, kept(1), p)
	lease, err := s.Acquire(t.Context(), "held", "B", time.Hour)
	require.NoError(t, err)
	assert.Equal(t, "A", lease.Holder)
	n, err := s.Charged(t.Context(), charge.Day)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	for name, call := range calls(s) {
		require.NoError(t, call(t.Context()), name)
	}
}

func TestServerHangs(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	require.NoError(t, s.Ping(t.Context()))
	server.Pause()
	for name, call := range calls(s) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		require.ErrorIs(t, call(ctx), context.DeadlineExceeded, name)
		cancel()
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	require.ErrorIs(t, s.Ping(ctx), context.Canceled, "within seconds")
	server.Resume()
	for name, call := range calls(s) {
		require.NoError(t, call(t.Context()), name)
	}
}

func TestPassword(t *testing.T) {
	server := redistest.Start(t)
	for _, user := range []string{":" + password + "@", "somebody:" + password + "@", ""} {
		err := open(t, "redis://"+user+server.Address).Ping(t.Context())
		require.Error(t, err)
		assert.Regexp(t, "WRONGPASS|NOAUTH", err.Error())
		assertHidden(t, err)
	}
}

func TestAnotherLayoutIsRefused(t *testing.T) {
	server := redistest.Start(t)
	require.NoError(t, open(t, server.URL()).Ping(t.Context()))
	assert.Equal(t, "2", admin(t, server).Get(t.Context(), prefix+"layout").Val())
	require.NoError(t, admin(t, server).Set(t.Context(), prefix+"layout", 3, 0).Err())

	for name, call := range calls(open(t, server.URL())) {
		require.ErrorContains(t, call(t.Context()), "another version of this program", name)
	}
	assert.Equal(t, []string{prefix + "layout"}, admin(t, server).Keys(t.Context(), "*").Val(), "nothing is touched")
}

func TestAllKeysAreInOneSlot(t *testing.T) {
	server := redistest.Start(t)
	for name, call := range calls(open(t, server.URL())) {
		require.NoError(t, call(t.Context()), name)
	}
	keys := admin(t, server).Keys(t.Context(), "*").Val()
	assert.NotEmpty(t, keys)
	for _, key := range keys {
		assert.Regexp(t, `^kol-portrait:\{vendor\}:`, key)
	}
}

// A hundred calls over three processes, each of which first cuts everybody's
// connections, so that answers are lost on the way. A call that gets an error
// is made again.
func TestChargesWhileConnectionsBreak(t *testing.T) {
	const calls, limit = 100, 10
	server := redistest.Start(t)
	stores := []*Store{open(t, server.URL()), open(t, server.URL()), open(t, server.URL())}
	client := admin(t, server)

	var group sync.WaitGroup
	var counted, cut atomic.Int64
	for i := range calls {
		group.Go(func() {
			connections, _ := client.ClientKillByFilter(t.Context(), "TYPE", "normal").Result()
			cut.Add(connections)
			c := store.Charge{ID: fmt.Sprint("call-", i), Day: "2026-11-23"}
			ok, err := stores[i%len(stores)].Charge(t.Context(), c, limit)
			for err != nil && t.Context().Err() == nil {
				ok, err = stores[i%len(stores)].Charge(t.Context(), c, limit)
			}
			if ok {
				counted.Add(1)
			}
		})
	}
	group.Wait()
	assert.Positive(t, cut.Load(), "no connection was cut: nothing was tried")
	assert.EqualValues(t, limit, counted.Load())
	n, err := stores[0].Charged(t.Context(), "2026-11-23")
	require.NoError(t, err)
	assert.Equal(t, limit, n)
}

// The server has done what it was asked, and its answer never arrives. All is
// asked again and has no second effect.
func TestAnswerIsLost(t *testing.T) {
	server := redistest.Start(t)
	lose, address := loseAnswers(t, server)
	s := open(t, address)
	for name, call := range calls(s) {
		require.NoError(t, call(t.Context()), name) // the server learns the scripts
	}
	for name, call := range calls(s) {
		lose.Store(true)
		require.NoError(t, call(t.Context()), name)
		require.False(t, lose.Load(), "no answer was lost")
	}
	lose.Store(true)
	require.NoError(t, s.Save(t.Context(), kept(1)))
	assert.EqualValues(t, 1, admin(t, server).HLen(t.Context(), prefix+"portraits:kept").Val())
	assert.EqualValues(t, 1, admin(t, server).ZCard(t.Context(), prefix+"days:kept").Val())

	charge := store.Charge{ID: "first", Day: "2026-11-24"}
	for range 2 {
		lose.Store(true)
		ok, err := s.Charge(t.Context(), charge, 1)
		require.NoError(t, err)
		assert.True(t, ok)
	}
}

// loseAnswers returns the address of something between a client and the server.
// When lose is set it cuts the next answer's connection, and unsets it.
func loseAnswers(t *testing.T, server *redistest.Server) (lose *atomic.Bool, address string) {
	t.Helper()
	lose = new(atomic.Bool)
	between := serve(t, func(client net.Conn) {
		behind, err := net.Dial("tcp", server.Address)
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = behind.Close() }()
			_, _ = io.Copy(behind, client)
		}()
		answer := make([]byte, 4096)
		for {
			n, err := behind.Read(answer)
			if err != nil || lose.CompareAndSwap(true, false) {
				return
			}
			if _, err := client.Write(answer[:n]); err != nil {
				return
			}
		}
	})
	return lose, strings.Replace(server.URL(), server.Address, between, 1)
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	server := redistest.Start(t)
	s, err := New(server.URL(), "vendor")
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { assert.NoError(t, s.Ping(t.Context())) })
	}
	group.Wait()
	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.Error(t, s.Ping(ctx))
	require.NoError(t, s.Close())
	server.Kill()
	require.Eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "go-redis")
	}, 10*time.Second, 10*time.Millisecond)
}

func BenchmarkNewest(b *testing.B) {
	s := open(b, redistest.Start(b).URL())
	require.NoError(b, s.Save(b.Context(), kept(1)))
	b.ReportAllocs()
	for b.Loop() {
		if p, err := s.Newest(b.Context(), "kept"); err != nil || p == nil {
			b.Fatal(p, err)
		}
	}
}

// BenchmarkSave has a server that has each portrait on disk before it answers.
func BenchmarkSave(b *testing.B) {
	s := open(b, redistest.Start(b).URL())
	for i := 0; b.Loop(); i++ {
		require.NoError(b, s.Save(b.Context(), kept(i)))
	}
}
