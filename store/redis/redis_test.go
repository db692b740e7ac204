package redis

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

const password = "hunter2secret"

// The port's digits in front of a / or ? make go-redis take them for a host's.
func TestAddressesThatPeopleGetWrong(t *testing.T) {
	for _, test := range []struct {
		address string
		want    error
	}{
		{"redis://:pa/" + password + "@127.0.0.1:6379/0", errEscape},
		{"redis://:12345/" + password + "@127.0.0.1:6379/0", errEscape},
		{"redis://:pa#" + password + "@127.0.0.1:6379/0", errEscape},
		{"redis://" + password + "#@127.0.0.1", errEscape},
		{"redis://:12345?" + password + "@127.0.0.1:6379/0", errEscape},
		{"redis://:" + password + "%zz@127.0.0.1", errEscape},
		{"redis://:" + password + "%@127.0.0.1", errEscape},
		{"redis://:" + password + "@127.0.0.1/0?ssl=true", errOptions},
		{"redis://:" + password + "@127.0.0.1?tls=1", errOptions},
		{"redis://:" + password + "@127.0.0.1?db=" + password, errOptions},
		{"rediss://:" + password + "@127.0.0.1?addr=127.0.0.2:6379&skip_verify=true", errOptions},
		{"redis://:" + password + "@127.0.0.1?addr=127.0.0.2", errOptions},
		{"redis://:" + password + "@127.0.0.1?addr=127.0.0.2:6379&password=" + password, errOptions},
		{"redis://:" + password + "@127.0.0.1?password=" + password, errOptions},
		{"redis://:" + password + "@127.0.0.1?master_name=", errOptions},
		{"redis://127.0.0.1?master_name=kol&password=" + password + "%", errOptions},
		{"redis://127.0.0.1?master_name=kol&password=p@" + password, errEscape},
		{"redis://:" + password + "@127.0.0.1:6379,127.0.0.2:6379/0", errHosts},
		{"redis://:" + password + "@one,two", errHosts},
		{"", errAddress},
		{password, errAddress},
		{"127.0.0.1:6379", errAddress},
		{"http://:" + password + "@127.0.0.1", errAddress},
		{"unix:///run/redis.sock", errAddress},
		{"redis://:" + password + "<@127.0.0.1", errAddress},
		{"redis://:" + password + "@127.0.0.1:port", errAddress},
		{"redis://127.0.0.1/" + password, errAddress},
	} {
		s, err := New(test.address, "vendor")
		assert.Nil(t, s, test.address)
		require.Equal(t, test.want, err, test.address)
	}
	require.ErrorContains(t, errEscape, "write / as %2F, # as %23, ? as %3F, % as %25, @ as %40, & as %26 in the password")
	require.ErrorContains(t, errOptions, "use rediss:// for TLS")
	require.ErrorContains(t, errHosts, "?addr=HOST:PORT&addr=HOST:PORT")
}

func TestAddress(t *testing.T) {
	for _, address := range []string{
		"redis://127.0.0.1", "redis://127.0.0.1:6379/3", "redis://:p@ss@[::1]", "redis://:pa%2Fss%23%3F%25@127.0.0.1",
	} {
		s, err := New(address, "vendor")
		require.NoError(t, err, address)
		assert.Equal(t, "redis", s.Kind())
		require.NoError(t, s.Close())
	}
	for _, test := range []struct {
		address    string
		want       goredis.UniversalOptions
		serverName string // of TLS
	}{
		{"rediss://user:pass%2Fword@redis.example:6380/3", goredis.UniversalOptions{
			Addrs: []string{"redis.example:6380"}, Username: "user", Password: "pass/word", DB: 3,
		}, "redis.example"},
		{"rediss://user:pass%2Fword@one.example:6379?addr=two.example:6380&pool_size=7", goredis.UniversalOptions{
			Addrs: []string{"one.example:6379", "two.example:6380"}, IsClusterMode: true, Username: "user", Password: "pass/word", PoolSize: 7,
		}, "one.example"},
		{"redis://node.example:6379?addr=node.example:6379", goredis.UniversalOptions{
			Addrs: []string{"node.example:6379", "node.example:6379"}, IsClusterMode: true,
		}, ""},
		{"redis://watch:man@one.example:26379/3?master_name=kol&addr=two.example:26379&username=user&password=pass%2Fword", goredis.UniversalOptions{
			Addrs: []string{"one.example:26379", "two.example:26379"}, MasterName: "kol", DB: 3,
			SentinelUsername: "watch", SentinelPassword: "man", Username: "user", Password: "pass/word",
		}, ""},
	} {
		got, err := parse(test.address)
		require.NoError(t, err, test.address)
		if test.serverName != "" {
			assert.Equal(t, test.serverName, got.TLSConfig.ServerName)
			assert.False(t, got.TLSConfig.InsecureSkipVerify)
		}
		assert.Equal(t, test.want, goredis.UniversalOptions{
			Addrs: got.Addrs, IsClusterMode: got.IsClusterMode, MasterName: got.MasterName, DB: got.DB, PoolSize: got.PoolSize,
			Username: got.Username, Password: got.Password, SentinelUsername: got.SentinelUsername, SentinelPassword: got.SentinelPassword,
		})
	}
}

// FuzzAddress writes any password into an address, escaped or not. Whatever
// comes of it, the password is not shown.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{"hunter2", "a/b", "a#b", "a?b=c", "a%b", "a%2Fb", "a@b", "a,b", "a b", "海", "[::1]", "?ssl=1&x=", "6379/0?x="} {
		f.Add(text, "@127.0.0.1:6379/0")
		f.Add(text, "@one,two?timeout=1")
	}
	f.Fuzz(func(t *testing.T, text, behind string) {
		hidden := "hunter2" + text // long enough not to be found by chance
		if !strings.HasPrefix(behind, "@") || strings.Contains(behind, "hunter2") {
			return
		}
		for _, address := range []string{
			"redis://:" + hidden + behind, "redis://:" + url.QueryEscape(hidden) + behind, "redis://" + hidden + behind,
			"redis://:x" + behind + "?addr=h:1&master_name=kol&password=" + hidden,
		} {
			s, err := New(address, "vendor")
			if err == nil {
				require.NoError(t, s.Close())
				continue
			}
			require.NotContains(t, err.Error(), "hunter2")
		}
	})
}

// stored is as a portrait is stored by the first version of the layout that
// was released: it must be read for good.
const stored = `{"ID":"A","KOLID":"kol","AsOf":"2026-03-08","RetrievedAt":"2026-11-23T12:00:00.007Z","Fresh":true,"Endpoint":"profile",` +
	`"Environment":"cn","Sample":true,"RequestID":"r-1","Data":null}` + "\n" + "{\"a\":\n1}\n"

func TestStoredPortrait(t *testing.T) {
	want := &schema.Portrait{
		ID: "A", KOLID: "kol", AsOf: "2026-03-08", RetrievedAt: time.Date(2026, 11, 23, 12, 0, 0, 7_000_000, time.UTC), Fresh: true,
		Endpoint: schema.EndpointProfile, Environment: schema.EnvironmentCN, Sample: true, RequestID: "r-1", Data: []byte("{\"a\":\n1}\n"),
	}
	p, err := decode(stored)
	require.NoError(t, err)
	assert.Equal(t, want, p)
	record, err := encode(want)
	require.NoError(t, err)
	assert.True(t, bytes.Equal([]byte(stored), record), "%s", record)

	_, err = decode("garbage\n{}")
	require.Error(t, err)
}

func open(tb testing.TB, address string) *Store {
	tb.Helper()
	s, err := New(address, "vendor")
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// kept returns a portrait of the size that the vendor's have.
func kept(i int) *schema.Portrait {
	return &schema.Portrait{
		ID: fmt.Sprint("kept-", i), KOLID: "kept", AsOf: time.Unix(int64(i)*86_400, 0).UTC().Format(time.DateOnly), RetrievedAt: time.UnixMilli(int64(i)).UTC(),
		Endpoint: schema.EndpointPortrait, Environment: schema.EnvironmentGlobal, Data: json.RawMessage(`{"a":"` + strings.Repeat("x", 6_000) + `"}`),
	}
}

// calls returns each method of a store that takes a context, by its name.
func calls(s *Store) map[string]func(context.Context) error {
	c := store.Charge{ID: "call", Day: "2026-11-23"}
	return map[string]func(context.Context) error{
		"Newest":  func(ctx context.Context) error { _, err := s.Newest(ctx, "kol"); return err },
		"Older":   func(ctx context.Context) error { _, err := s.Older(ctx, "kol", "2026-03-08"); return err },
		"Save":    func(ctx context.Context) error { return s.Save(ctx, kept(1), 0) },
		"KOLs":    func(ctx context.Context) error { _, err := s.KOLs(ctx, "", 10); return err },
		"Acquire": func(ctx context.Context) error { _, err := s.Acquire(ctx, "kol", "A", time.Hour); return err },
		"Release": func(ctx context.Context) error { return s.Release(ctx, "kol", "A") },
		"Fail": func(ctx context.Context) error {
			return s.Fail(ctx, "kol", "A", &schema.Error{Kind: schema.RateLimited}, time.Hour)
		},
		"Charge":  func(ctx context.Context) error { _, err := s.Charge(ctx, c, store.Limits{Day: 1}); return err },
		"Refund":  func(ctx context.Context) error { return s.Refund(ctx, c) },
		"Charged": func(ctx context.Context) error { _, err := s.Charged(ctx, c.Day); return err },
		"Turn":    func(ctx context.Context) error { _, err := s.Turn(ctx, time.Microsecond); return err },
		"Ping":    s.Ping,
	}
}

func TestServerDown(t *testing.T) {
	address := serve(t, func(net.Conn) {}) // hangs up at once
	for name, call := range calls(open(t, "redis://:"+password+"@"+address)) {
		err := call(t.Context())
		require.ErrorContains(t, err, "redis: ", name)
		assertHidden(t, err)
	}
}

// What goes wrong is told by errors. This test runs the one above in a process
// of its own, since go-redis holds on to the stderr that it started with.
func TestNothingOnStderr(t *testing.T) {
	var stderr strings.Builder
	again := exec.Command(os.Args[0], "-test.run=^TestServerDown$")
	again.Stderr = &stderr
	require.NoError(t, again.Run())
	assert.Empty(t, stderr.String())
}

// Old servers and proxies quote what they do not understand, and the password
// is in the first command of a connection.
func TestServerThatQuotesThePassword(t *testing.T) {
	address := serve(t, func(conn net.Conn) {
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
	})
	for _, form := range []string{
		"redis://:%[2]s@%[1]s", "redis://:%[2]s@%[1]s?addr=%[1]s", "redis://:%[2]s@%[1]s?master_name=kol", "redis://user:%[2]s@%[1]s?master_name=kol&password=another",
	} {
		err := open(t, fmt.Sprintf(form, address, password)).Ping(t.Context())
		require.ErrorContains(t, err, "unknown command", form)
		assertHidden(t, err)
	}
}

// assertHidden says that nothing of the address is in what is printed of err.
func assertHidden(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), password)
	}
}

// serve lets handle speak on every connection, and returns the address.
func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
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
