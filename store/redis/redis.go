// Package redis keeps portraits, leases and charges in Redis, where the
// replicas of a server share them.
//
// It works with Redis 6.2 and later, and with what speaks its protocol, such as
// Valkey. All keys begin with kol-portrait:{SCOPE}: and are in one hash slot.
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
// Leases expire by the server's clock alone, so the clocks of the processes that
// share it do not matter.
package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/store"
)

// Store is a store.Store in Redis.
type Store struct {
	client  *goredis.Client
	prefix  string // of all keys, with the scope in braces: a script may touch keys of one hash slot
	secrets []secret.Secret
}

var _ store.Store = (*Store)(nil)

// New returns the store at a redis:// or rediss:// (TLS) address, with user,
// password and database number where there are any. Stores of different scopes
// have nothing in common.
//
// It does not connect: a server that is down shows in the first call, and when it
// is back calls succeed again. The error is for the person who wrote the
// address, says what helps, and names no part of it that may be a password.
//
// New silences go-redis for the whole process: it writes to stderr what it
// returns as errors anyway.
func New(address, scope string) (*Store, error) {
	options, err := parse(address)
	if err != nil {
		return nil, err
	}
	logging.Disable()
	s := &Store{
		prefix:  "kol-portrait:{" + scope + "}:",
		secrets: []secret.Secret{secret.New(address), secret.New(options.Password)},
	}
	options.OnConnect = s.checkLayout
	s.client = goredis.NewClient(options)
	return s, nil
}

// layout is the version of what is under the keys.
const layout = "2"

// checkLayout refuses a server on which another version of this program keeps
// its portraits, and marks one on which nobody does. It is called for each
// connection.
func (s *Store) checkLayout(ctx context.Context, conn *goredis.Conn) error {
	var found *goredis.StringCmd
	_, err := conn.Pipelined(ctx, func(p goredis.Pipeliner) error {
		p.SetNX(ctx, s.prefix+"layout", layout, 0)
		found = p.Get(ctx, s.prefix+"layout")
		return nil
	})
	if err == nil && found.Val() != layout {
		err = fmt.Errorf("what is stored there is of another version of this program: its layout is %s, and this one knows %s", found.Val(), layout)
	}
	return err
}

// Ping implements store.Store: the server answers and lets this client in.
func (s *Store) Ping(ctx context.Context) error {
	return s.failure(ctx, "ping", s.client.Ping(ctx).Err())
}

// Kind implements store.Store.
func (s *Store) Kind() string { return "redis" }

// Close implements store.Store. It ends the calls under way.
func (s *Store) Close() error {
	return s.failure(context.Background(), "close", s.client.Close())
}

// run runs a script, which is one step for everybody, and returns its answer,
// nil where it has none. It may run twice, since go-redis asks again when an
// answer did not arrive: a script has no second effect.
func (s *Store) run(ctx context.Context, attempted string, script *goredis.Script, keys []string, args ...any) (any, error) {
	answer, err := script.Run(ctx, s.client, keys, args...).Result()
	if errors.Is(err, goredis.Nil) {
		return nil, nil
	}
	return answer, s.failure(ctx, attempted, err)
}

// failure says what was attempted, nil where err is. A proxy in front of the
// server may quote in its error what it was sent, which can be the password.
func (s *Store) failure(ctx context.Context, attempted string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err() // go-redis calls it a timeout of the connection
	}
	text := err.Error()
	for _, hidden := range s.secrets {
		text = hidden.Hide(text)
	}
	if text != err.Error() {
		err = errors.New(text)
	}
	return fmt.Errorf("redis: %s: %w", attempted, err)
}
