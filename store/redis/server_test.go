//go:build e2e

package redis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/redis"
	"kol-portrait-mcp/store/redis/redistest"
	"kol-portrait-mcp/store/storetest"
)

// Every test of the suite has a scope of its own on one server.
func TestStore(t *testing.T) {
	server := redistest.Start(t)
	storetest.Run(t, func(t *testing.T) func() store.Store {
		t.Helper()
		return func() store.Store {
			s, err := redis.New(server.URL(), t.Name())
			require.NoError(t, err)
			return s
		}
	})
}

func TestServerGoesAndComesBack(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	kept := portrait("kept", time.UnixMilli(1))
	claim := store.Claim{KOLID: "held", Holder: "h"}
	charge := store.Charge{ID: "c", KOLID: kol, Day: day}
	require.NoError(t, s.Save(t.Context(), kept))
	_, err := s.Acquire(t.Context(), claim, time.Hour)
	require.NoError(t, err)
	_, err = s.Charge(t.Context(), charge, 1)
	require.NoError(t, err)
	require.NoError(t, s.AddHits(t.Context(), day, 3))

	server.Kill()
	for name, call := range methods(s) {
		require.Error(t, call(t.Context()), name)
	}
	server.Restart()
	require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, 10*time.Second, 10*time.Millisecond)

	p, err := s.Newest(t.Context(), kol)
	require.NoError(t, err)
	assert.Equal(t, &kept, p)
	lease, err := s.Lease(t.Context(), claim.KOLID)
	require.NoError(t, err)
	assert.Equal(t, store.Lease{Holder: "h"}, lease)
	counts, err := s.Counts(t.Context(), day)
	require.NoError(t, err)
	assert.Equal(t, store.Counts{Charged: 1, Hits: 3}, counts)
	for name, call := range methods(s) {
		require.NoError(t, call(t.Context()), name)
	}
}

func TestServerHangs(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	require.NoError(t, s.Ping(t.Context()))
	server.Pause()
	for name, call := range methods(s) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		require.ErrorIs(t, call(ctx), context.DeadlineExceeded, name)
		cancel()
	}
	server.Resume()
	for name, call := range methods(s) {
		require.NoError(t, call(t.Context()), name)
	}
}

// The caller has set no end; the connection's own is kept short by the address.
func TestServerHangsAndCallerWaits(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL()+"?read_timeout=20ms")
	server.Pause()
	for name, call := range methods(s) {
		require.ErrorContains(t, call(t.Context()), "timeout", name)
	}
}

func TestPassword(t *testing.T) {
	server := redistest.StartWithPassword(t, "right"+password)
	require.NoError(t, open(t, server.URL()).Ping(t.Context()))

	_, address, _ := strings.Cut(server.URL(), "@")
	for name, url := range map[string]string{
		"wrong":      "redis://:" + password + "@" + address,
		"wrong user": "redis://somebody:" + password + "@" + address,
		"none":       "redis://" + address,
	} {
		t.Run(name, func(t *testing.T) {
			for method, call := range methods(open(t, url)) {
				err := call(t.Context())
				require.Error(t, err, method)
				assert.Regexp(t, "WRONGPASS|NOAUTH", err.Error(), method)
				assertSecret(t, err)
			}
		})
	}
}

// A hundred calls over three processes, each of which first cuts everybody's
// connections, so that answers are lost on the way. Who gets an error asks
// again.
func TestChargesWhileConnectionsBreak(t *testing.T) {
	const calls, limit = 100, 10
	server := redistest.Start(t)
	stores := []*redis.Store{open(t, server.URL()), open(t, server.URL()), open(t, server.URL())}
	client := admin(t, server)

	var group sync.WaitGroup
	var counted, cut atomic.Int64
	for i := range calls {
		group.Go(func() {
			connections, _ := client.ClientKillByFilter(t.Context(), "TYPE", "normal").Result()
			cut.Add(connections)
			c := store.Charge{ID: fmt.Sprintf("call-%d", i), KOLID: kol, Day: day}
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
	counts, err := stores[0].Counts(t.Context(), day)
	require.NoError(t, err)
	assert.Equal(t, store.Counts{Charged: limit}, counts)
}

// The server has done what it was asked, and its answer never arrives. All is
// asked again and has no second effect, but AddHits, which is not asked again.
func TestAnswerIsLost(t *testing.T) {
	server := redistest.Start(t)
	lose, address := loseAnswers(t, server)
	s := open(t, "redis://"+address)
	first, second := store.Charge{ID: "first", Day: day}, store.Charge{ID: "second", Day: day}
	claim := store.Claim{KOLID: kol, Holder: "h"}

	// The server learns the scripts, so that what gets lost is no NOSCRIPT.
	for name, call := range methods(s) {
		require.NoError(t, call(t.Context()), name)
	}
	require.NoError(t, admin(t, server).FlushDB(t.Context()).Err())

	lose.Store(true)
	require.NoError(t, s.Save(t.Context(), portrait("one", time.UnixMilli(1))))
	records := admin(t, server).ZCard(t.Context(), prefix+"portraits:"+kol).Val()
	assert.EqualValues(t, 1, records)

	lose.Store(true)
	ok, err := s.Charge(t.Context(), first, 1)
	require.NoError(t, err)
	assert.True(t, ok)
	lose.Store(true)
	ok, err = s.Charge(t.Context(), second, 1)
	require.NoError(t, err)
	assert.False(t, ok)

	lose.Store(true)
	require.Error(t, s.AddHits(t.Context(), day, 3))
	counts, err := s.Counts(t.Context(), day)
	require.NoError(t, err)
	assert.Equal(t, store.Counts{Charged: 1, Hits: 3}, counts)

	lose.Store(true)
	require.NoError(t, s.Refund(t.Context(), first))
	counts, err = s.Counts(t.Context(), day)
	require.NoError(t, err)
	assert.Equal(t, store.Counts{Hits: 3}, counts)

	lose.Store(true)
	lease, err := s.Acquire(t.Context(), claim, time.Hour)
	require.NoError(t, err)
	assert.Equal(t, store.Lease{Holder: "h"}, lease)
	lose.Store(true)
	require.NoError(t, s.Release(t.Context(), claim, nil))
	lease, err = s.Lease(t.Context(), kol)
	require.NoError(t, err)
	assert.Equal(t, store.Lease{Holder: "h", Released: true}, lease)
	assert.False(t, lose.Load(), "no answer was lost")
}

// loseAnswers returns the address of something between a client and the server.
// When lose is set it cuts the next answer's connection, and unsets it.
func loseAnswers(t *testing.T, server *redistest.Server) (lose *atomic.Bool, address string) {
	t.Helper()
	options, err := goredis.ParseURL(server.URL())
	require.NoError(t, err)
	lose = new(atomic.Bool)
	address = serve(t, func(client net.Conn) {
		behind, err := net.Dial("tcp", options.Addr)
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
	return lose, address
}

func TestRecordOfALaterVersion(t *testing.T) {
	server := redistest.Start(t)
	write(t, server, `{"id":"1","kolId":"`+kol+`","retrievedAt":1,"endpoint":"third","environment":"global",`+
		`"compression":{"level":3},"sample":false}`+"\n"+`{"a":1}`)
	p, err := open(t, server.URL()).Newest(t.Context(), kol)
	require.NoError(t, err)
	assert.Equal(t, &store.Portrait{
		ID: "1", KOLID: kol, RetrievedAt: time.UnixMilli(1).UTC(),
		Endpoint: "third", Environment: "global", Data: json.RawMessage(`{"a":1}`),
	}, p)
}

func TestWhatSomebodyElseWrote(t *testing.T) {
	for name, record := range map[string]string{
		"nothing":             "",
		"no line":             `{"id":"1","kolId":"` + kol + `"}`,
		"no JSON":             "garbage\n{}",
		"JSON, but no object": "[1]\n{}",
		"wrong types":         `{"id":1,"kolId":"` + kol + `"}` + "\n{}",
		"no id":               `{"kolId":"` + kol + `"}` + "\n{}",
		"another KOL's":       `{"id":"1","kolId":"other"}` + "\n{}",
		"bytes":               "\x00\xff\n\x00",
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			write(t, server, record)
			p, err := open(t, server.URL()).Newest(t.Context(), kol)
			require.ErrorContains(t, err, "read the newest portrait of "+kol)
			assert.Nil(t, p)
		})
	}

	t.Run("beside an older portrait", func(t *testing.T) {
		server := redistest.Start(t)
		s := open(t, server.URL())
		want := portrait("one", time.UnixMilli(1))
		require.NoError(t, s.Save(t.Context(), want))
		for i, record := range []string{
			"", "\n", "garbage\n{}", "[1]\n{}", "null\n{}", "17\n{}", `{"id":"1","asOf":17}` + "\n{}", `{"id":"1","asOf":null}` + "\n{}",
			`{"id":"1","asOf":"2026-11-22 "}` + "\n{}", `{"id":"1","asOf":"soon"}` + "\n{}", `{"id":"1"}` + "\n" + `{"asOf":"2026-11-22"}`,
			strings.Repeat("[", 2000) + "\n{}", "\x00\xff\n\x00",
		} {
			require.NoError(t, admin(t, server).ZAdd(t.Context(), prefix+"portraits:"+kol,
				goredis.Z{Score: float64(i + 2), Member: record}).Err())
		}
		p, err := s.Older(t.Context(), kol, string(day))
		require.NoError(t, err)
		assert.Equal(t, &want, p)
	})

	t.Run("as an older portrait", func(t *testing.T) {
		server := redistest.Start(t)
		write(t, server, `{"id":"1","kolId":"other","asOf":"2026-11-22"}`+"\n{}")
		p, err := open(t, server.URL()).Older(t.Context(), kol, string(day))
		require.ErrorContains(t, err, "read an older portrait of "+kol)
		assert.Nil(t, p)
	})

	t.Run("a lease", func(t *testing.T) {
		server := redistest.Start(t)
		require.NoError(t, admin(t, server).HSet(t.Context(), prefix+"lease:"+kol,
			"holder", "h", "released", "1", "failure", "garbage").Err())
		_, err := open(t, server.URL()).Lease(t.Context(), kol)
		assert.ErrorContains(t, err, "not a lease")
	})

	t.Run("hits", func(t *testing.T) {
		server := redistest.Start(t)
		require.NoError(t, admin(t, server).Set(t.Context(), prefix+"hits:"+string(day), "garbage", 0).Err())
		_, err := open(t, server.URL()).Counts(t.Context(), day)
		assert.Error(t, err)
	})

	t.Run("other types", func(t *testing.T) {
		server := redistest.Start(t)
		for _, key := range []string{"portraits:" + kol, "kols", "saved", "lease:" + kol, "charges:" + string(day)} {
			require.NoError(t, admin(t, server).Set(t.Context(), prefix+key, "garbage", 0).Err())
		}
		require.NoError(t, admin(t, server).SAdd(t.Context(), prefix+"hits:"+string(day), "garbage").Err())
		for name, call := range methods(open(t, server.URL())) {
			if name != "Ping" {
				assert.ErrorContains(t, call(t.Context()), "WRONGTYPE", name)
			}
		}
	})
}

// A server that is full says so, and has taken nothing in half.
func TestServerIsFull(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	config := admin(t, server)
	require.NoError(t, config.ConfigSet(t.Context(), "maxmemory", "1").Err())
	err := s.Save(t.Context(), portrait("one", time.UnixMilli(1)))
	require.ErrorContains(t, err, "OOM")
	require.NoError(t, config.ConfigSet(t.Context(), "maxmemory", "0").Err())
	require.Empty(t, config.Keys(t.Context(), "*").Val())
	require.NoError(t, s.Save(t.Context(), portrait("one", time.UnixMilli(1))))
}

// What must not grow for ever ends by itself, and what was paid for does not.
func TestKeysAndHowLongTheyStay(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	client := admin(t, server)
	for _, method := range []string{"Save", "Charge", "AddHits", "Acquire"} {
		require.NoError(t, methods(s)[method](t.Context()), method)
	}
	stays := func(key string) time.Duration { return client.PTTL(t.Context(), prefix+key).Val() }
	const forever = -1

	assert.EqualValues(t, forever, stays("portraits:"+kol))
	assert.EqualValues(t, forever, stays("days:"+kol))
	assert.EqualValues(t, forever, stays("kols"))
	assert.EqualValues(t, forever, stays("saved"))
	assert.InDelta(t, time.Minute, stays("lease:"+kol), float64(time.Minute/2))
	assert.InDelta(t, 40*24*time.Hour, stays("charges:"+string(day)), float64(time.Hour))
	assert.InDelta(t, 40*24*time.Hour, stays("hits:"+string(day)), float64(time.Hour))
	require.NoError(t, methods(s)["Release"](t.Context()))
	assert.InDelta(t, 2*time.Minute, stays("lease:"+kol), float64(time.Minute/2))

	keys := client.Keys(t.Context(), "*").Val()
	assert.Len(t, keys, 7)
	for _, key := range keys {
		assert.True(t, strings.HasPrefix(key, prefix), key)
	}
}

// Portraits of one moment: the order is the same whoever saves first.
func TestPortraitsOfOneMoment(t *testing.T) {
	server := redistest.Start(t)
	for i, ids := range [][]string{{"a", "ab", "b"}, {"b", "ab", "a"}, {"ab", "b", "a"}} {
		s, err := redis.New(server.URL(), strconv.Itoa(i))
		require.NoError(t, err)
		for _, id := range ids {
			require.NoError(t, s.Save(t.Context(), portrait(id, time.UnixMilli(1))))
		}
		p, err := s.Newest(t.Context(), kol)
		require.NoError(t, err)
		assert.Equal(t, "b", p.ID)
		p, err = s.Older(t.Context(), kol, string(day))
		require.NoError(t, err)
		assert.Equal(t, "b", p.ID)
		require.NoError(t, s.Close())
	}
}

func TestScopesHaveNothingInCommon(t *testing.T) {
	server := redistest.Start(t)
	vendor := open(t, server.URL())
	require.NoError(t, vendor.Save(t.Context(), portrait("one", time.UnixMilli(1))))
	sample, err := redis.New(server.URL(), "sample")
	require.NoError(t, err)
	defer func() { _ = sample.Close() }()
	p, err := sample.Newest(t.Context(), kol)
	require.NoError(t, err)
	assert.Nil(t, p)
}

func TestNewestIsOneRoundTrip(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	client := admin(t, server)
	require.NoError(t, s.Save(t.Context(), portrait("one", time.UnixMilli(1))))
	require.NoError(t, client.ConfigResetStat(t.Context()).Err())
	_, err := s.Newest(t.Context(), kol)
	require.NoError(t, err)
	assert.Contains(t, client.Info(t.Context(), "stats").Val(), "total_commands_processed:2\r\n", "ours and CONFIG RESETSTAT itself")
}

// Earlier versions saved no days. What they left is found all the same, also
// where they go on to save beside this one, and what this one saves beside it.
func TestOlderThanThisVersion(t *testing.T) {
	const portraits = 200
	server := redistest.Start(t)
	s, client := open(t, server.URL()), admin(t, server)
	first := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	dayOf := func(i int) string { return first.AddDate(0, 0, i).Format(time.DateOnly) }
	earlier := func(i int) {
		p := fmt.Sprintf(`{"id":"earlier-%d","kolId":"%s","asOf":"%s","retrievedAt":%d,"endpoint":"portrait","environment":"global"}`, i, kol, dayOf(i), i)
		require.NoError(t, client.ZAdd(t.Context(), prefix+"portraits:"+kol, goredis.Z{Score: float64(i), Member: p + "\n{}"}).Err())
	}
	older := func(asOf string) *store.Portrait {
		p, err := s.Older(t.Context(), kol, asOf)
		require.NoError(t, err)
		require.NotNil(t, p, asOf)
		return p
	}
	for i := range portraits {
		earlier(i * 2)
	}
	for i := range portraits {
		assert.Equal(t, fmt.Sprint("earlier-", i*2), older(dayOf(i*2+1)).ID)
	}

	p := portrait("now", time.UnixMilli(5))
	p.AsOf = dayOf(7)
	require.NoError(t, s.Save(t.Context(), p))
	assert.Equal(t, &p, older(dayOf(8)))
	earlier(9)
	assert.Equal(t, "earlier-9", older(dayOf(10)).ID)
	assert.Equal(t, "earlier-8", older(dayOf(9)).ID)

	entries := client.ZCard(t.Context(), prefix+"days:"+kol).Val()
	assert.EqualValues(t, portraits+2, entries, "each is entered once, whoever saved it")
}

// Entries without a portrait, and such as are none, do not keep others from
// being saved and found by their day.
func TestDaysThatSomebodyElseWrote(t *testing.T) {
	for name, entry := range map[string]string{
		"nothing":              "",
		"a later day":          "2026-11-22 9999999999999 two",
		"a day alone":          "2026-11-22",
		"a time that is none":  "2026-11-22 soon one",
		"an entry of no order": "3",
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			s := open(t, server.URL())
			require.NoError(t, admin(t, server).ZAdd(t.Context(), prefix+"days:"+kol, goredis.Z{Member: entry}).Err())
			p, err := s.Older(t.Context(), kol, string(day))
			require.NoError(t, err)
			assert.Nil(t, p)

			want := portrait("one", time.UnixMilli(1))
			require.NoError(t, s.Save(t.Context(), want))
			require.NoError(t, admin(t, server).ZAdd(t.Context(), prefix+"days:"+kol, goredis.Z{Member: entry}).Err())
			p, err = s.Older(t.Context(), kol, string(day))
			require.NoError(t, err)
			assert.Equal(t, &want, p)
		})
	}
}

// Of a long history one portrait is sent.
func TestOlderSendsOneRecord(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	client := admin(t, server)
	for i := range 300 {
		p := portrait(strconv.Itoa(i), time.UnixMilli(int64(i)))
		p.Data = data()
		require.NoError(t, s.Save(t.Context(), p))
	}
	_, err := s.Older(t.Context(), kol, string(day)) // teaches the server the script
	require.NoError(t, err)
	require.NoError(t, client.ConfigResetStat(t.Context()).Err())
	p, err := s.Older(t.Context(), kol, string(day))
	require.NoError(t, err)
	assert.Equal(t, "299", p.ID)
	stats := client.Info(t.Context(), "stats").Val()
	_, sent, found := strings.Cut(stats, "total_net_output_bytes:")
	require.True(t, found)
	var n int
	_, err = fmt.Sscan(sent, &n)
	require.NoError(t, err)
	assert.Less(t, n, 2*len(data()))
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	server := redistest.Start(t)
	s, err := redis.New(server.URL(), "test")
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
		stacks = stacks[:runtime.Stack(stacks, true)]
		return !strings.Contains(string(stacks), "go-redis")
	}, 10*time.Second, 10*time.Millisecond)
}

// prefix is how all keys begin that stores of these tests write.
const prefix = "kol-portrait:{test}:"

// admin is a client beside the store.
func admin(t *testing.T, server *redistest.Server) *goredis.Client {
	t.Helper()
	options, err := goredis.ParseURL(server.URL())
	require.NoError(t, err)
	client := goredis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// write puts a record where the portraits of kol are.
func write(t *testing.T, server *redistest.Server, record string) {
	t.Helper()
	require.NoError(t, admin(t, server).ZAdd(t.Context(), prefix+"portraits:"+kol,
		goredis.Z{Score: 1, Member: record}).Err())
}
