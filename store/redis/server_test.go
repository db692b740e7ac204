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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/redis/redistest"
)

const prefix = "kol-portrait:{vendor}:"

func TestRisksAreThoseOfTheServersSettings(t *testing.T) {
	for _, test := range []struct {
		name      string
		arguments []string
		want      []string
	}{
		{"as it should be", nil, nil},
		{"a limit that refuses writes", []string{"--maxmemory", "100mb"}, nil},
		{"a policy without a limit", []string{"--maxmemory-policy", "allkeys-lru"}, nil},
		{"a limit that lets go", []string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}, []string{"maxmemory-policy is allkeys-lru"}},
		{"snapshots alone", []string{"--appendonly", "no", "--save", "60 1"}, nil},
		{"nothing on disk", []string{"--appendonly", "no"}, []string{"set appendonly to yes"}},
		{"nobody may ask", []string{"--appendonly", "no", "--rename-command", "CONFIG", ""}, nil},
	} {
		s := open(t, redistest.Start(t, test.arguments...).URL())
		risks := s.Risks(t.Context())
		require.Len(t, risks, len(test.want), test.name)
		for i, want := range test.want {
			assert.Contains(t, risks[i], want, test.name)
		}
	}
}

func TestServerGoesAndComesBack(t *testing.T) {
	server := redistest.Start(t)
	s, charge := open(t, server.URL()), store.Charge{ID: "kept", Day: "2026-11-22", Caller: "red"}
	require.NoError(t, s.Save(t.Context(), kept(1), 0))
	_, err := s.Acquire(t.Context(), "held", "A", time.Hour)
	require.NoError(t, err)
	_, err = s.Charge(t.Context(), charge, store.Limits{})
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
	charges, err := s.Charged(t.Context(), charge.Day)
	require.NoError(t, err)
	assert.Equal(t, store.Charges{All: 1, Callers: map[string]int{"red": 1}}, charges)
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

// The server that a Sentinel named dies, and its replica takes over.
func TestSentinelNamesAnother(t *testing.T) {
	server := redistest.Start(t)
	redistest.Start(t, "--replicaof", strings.Replace(server.Address, ":", " ", 1))
	s := open(t, redistest.StartSentinel(t, server, 1))
	require.NoError(t, s.Save(t.Context(), kept(1), 0))
	require.EqualValues(t, 1, server.Client().Wait(t.Context(), 1, 10*time.Second).Val(), "the replica has it")

	server.Kill()
	require.Error(t, s.Ping(t.Context()))
	require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, 30*time.Second, 10*time.Millisecond)
	p, err := s.Newest(t.Context(), "kept")
	require.NoError(t, err)
	assert.Equal(t, kept(1), p)
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
	assert.Equal(t, "2", server.Client().Get(t.Context(), prefix+"layout").Val())
	require.NoError(t, server.Client().Set(t.Context(), prefix+"layout", 3, 0).Err())

	for name, call := range calls(open(t, server.URL())) {
		require.ErrorContains(t, call(t.Context()), "another version of this program", name)
	}
	assert.Equal(t, []string{prefix + "layout"}, server.Client().Keys(t.Context(), "*").Val(), "nothing is touched")
}

func TestAllKeysAreInOneSlot(t *testing.T) {
	server := redistest.Start(t)
	for name, call := range calls(open(t, server.URL())) {
		require.NoError(t, call(t.Context()), name)
	}
	keys := server.Client().Keys(t.Context(), "*").Val()
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
	client := server.Client()

	var group sync.WaitGroup
	var counted, cut atomic.Int64
	for i := range calls {
		group.Go(func() {
			connections, _ := client.ClientKillByFilter(t.Context(), "TYPE", "normal").Result()
			cut.Add(connections)
			c := store.Charge{ID: fmt.Sprint("call-", i), Day: "2026-11-23", Caller: "red"}
			refusal, err := stores[i%len(stores)].Charge(t.Context(), c, store.Limits{Day: 2 * limit, Caller: limit})
			for err != nil && t.Context().Err() == nil {
				refusal, err = stores[i%len(stores)].Charge(t.Context(), c, store.Limits{Day: 2 * limit, Caller: limit})
			}
			if refusal == store.NotRefused {
				counted.Add(1)
			}
		})
	}
	group.Wait()
	assert.Positive(t, cut.Load(), "no connection was cut: nothing was tried")
	assert.EqualValues(t, limit, counted.Load())
	charges, err := stores[0].Charged(t.Context(), "2026-11-23")
	require.NoError(t, err)
	assert.Equal(t, store.Charges{All: limit, Callers: map[string]int{"red": limit}}, charges)
}

func TestTurns(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	turn := func(ctx context.Context, every, want time.Duration) {
		t.Helper()
		wait, err := s.Turn(ctx, every)
		require.NoError(t, err)
		assert.InDelta(t, want, wait, float64(time.Minute))
	}
	turn(t.Context(), time.Millisecond, 0)
	require.Eventually(t, func() bool { return server.Client().Exists(t.Context(), prefix+"turn").Val() == 0 }, 10*time.Second, time.Millisecond)
	turn(t.Context(), time.Hour, 0)
	turn(t.Context(), 2*time.Hour, time.Hour) // the pause left no second one at once

	short, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	turn(short, time.Hour, 3*time.Hour) // which is too late
	turn(t.Context(), time.Hour, 3*time.Hour)
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
	require.NoError(t, s.Save(t.Context(), kept(1), 0))
	assert.EqualValues(t, 1, server.Client().HLen(t.Context(), prefix+"portraits:kept").Val())
	assert.EqualValues(t, 1, server.Client().ZCard(t.Context(), prefix+"days:kept").Val())

	charge := store.Charge{ID: "first", Day: "2026-11-24"}
	for range 2 {
		lose.Store(true)
		refusal, err := s.Charge(t.Context(), charge, store.Limits{Day: 1})
		require.NoError(t, err)
		assert.Equal(t, store.NotRefused, refusal)
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
	require.NoError(b, s.Save(b.Context(), kept(1), 0))
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
		require.NoError(b, s.Save(b.Context(), kept(i), 0))
	}
}
