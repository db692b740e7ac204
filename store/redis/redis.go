// Package redis keeps portraits, leases and charges in Redis, where the
// replicas of a server share them.
//
// # Server
//
// It works with Redis 6.2 and later, and with what speaks its protocol (Valkey
// 7.2 and later). The newest command it uses is ZRANGE with REV and BYLEX
// (6.2); besides those HELLO (6.0), EVALSHA, EVAL, PEXPIRE, HMGET, HSET, SADD,
// SREM, SCARD, SISMEMBER, ZADD, ZCARD, INCRBY, EXPIRE, GET, DEL and PING, over RESP2.
// All keys begin with kol-portrait:{SCOPE}: and are in one hash slot.
//
// Whoever runs the server sets two things, for what is kept was paid for:
//
//   - appendonly yes, with appendfsync always, or everysec where the portraits
//     of one second may be lost with the machine; else a restart forgets all.
//   - maxmemory-policy noeviction, which is the default: another policy lets
//     portraits go, and today's charges with them. A portrait takes some 10 kB.
//
// A failover to a replica that lags behind forgets what it had not yet been
// told, charges included.
//
// Expiry goes by the server's clock alone, so the clocks of the processes that
// share it do not matter.
package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"kol-portrait-mcp/redact"
	"kol-portrait-mcp/store"
)

// Store is a [store.Store] in Redis.
type Store struct {
	client  *goredis.Client
	scripts scripts
	keys    keys
	secrets *redact.Hider
}

var _ store.Store = (*Store)(nil)

// New returns the store at a redis://, rediss:// (TLS) or unix:// address, with
// user, password and database number where there are any, and with the options
// that [goredis.ParseURL] reads from its query. Stores of different scopes have
// nothing in common.
//
// It does not connect: a server that is down shows in the first call. When it
// is back, calls succeed again, after a long absence within a second: go-redis
// then looks for it only so often. The error names no part of the address, as any
// may hold the password of one that is misspelled.
//
// New silences go-redis for the whole process. It writes to stderr what it
// returns as errors anyway.
func New(url, scope string) (*Store, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	logging.Disable()
	return &Store{
		client:  goredis.NewClient(options),
		scripts: newScripts(),
		keys:    keysOf(scope),
		secrets: redact.New(url, options.Password),
	}, nil
}

// Ping reports whether the server answers and lets this client in.
func (s *Store) Ping(ctx context.Context) error {
	_, err := ask(ctx, s, "ping", func(ctx context.Context) (string, error) {
		return s.client.Ping(ctx).Result()
	})
	return err
}

// Kind is redis.
func (s *Store) Kind() string { return "redis" }

// Close ends all connections, and with them the calls under way.
func (s *Store) Close() error {
	if err := s.client.Close(); err != nil {
		return s.failure("close", err)
	}
	return nil
}

// ask puts a question to the server and returns no later than ctx ends. That
// needs a goroutine of its own, since go-redis heeds a context's deadline, but
// not that it is cancelled. One that is left behind ends with the timeout of
// its connection, or with Close.
func ask[T any](ctx context.Context, s *Store, attempted string, question func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := question(ctx)
		answers <- answer{value, err}
	}()
	var none T
	select {
	case <-ctx.Done():
		return none, s.failure(attempted, ctx.Err())
	case a := <-answers:
		if a.err == nil {
			return a.value, nil
		}
		if ctx.Err() != nil {
			return none, s.failure(attempted, ctx.Err())
		}
		return none, s.failure(attempted, a.err)
	}
}

// failure says what was attempted. A proxy in front of the server may quote in
// its error what it was sent, which can be the password.
func (s *Store) failure(attempted string, err error) error {
	if text := err.Error(); s.secrets.Found(text) {
		err = errors.New(s.secrets.Hide(text))
	}
	return fmt.Errorf("redis: %s: %w", attempted, err)
}
