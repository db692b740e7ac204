// Package redis keeps portraits, leases and charges in Redis, where the
// replicas of a server share them.
//
// It works with Redis 6.2 and later, and with what speaks its protocol, such as
// Valkey; with a Cluster, and with servers that Sentinels name. All keys begin with
// kol-portrait:{SCOPE}: and are in one hash slot, so on one node of a Cluster.
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
// Leases expire by the server's clock alone, and turns come by it, so the clocks of
// the processes that share it do not matter. A failover to a server whose clock is
// behind holds turns up by as much.
package redis

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/store"
)

// Store is a store.Store in Redis.
type Store struct {
	client  goredis.UniversalClient
	prefix  string // of all keys, with the scope in braces: a script may touch keys of one hash slot
	secrets []secret.Secret
	checked atomic.Bool // the layout is ours
}

var _ store.Store = (*Store)(nil)

// New returns the store at an address of go-redis's forms, redis:// or rediss://
// (TLS), with user, password and database number where there are any:
//
//   - redis://:PASSWORD@HOST:PORT/DATABASE, one server
//   - redis://:PASSWORD@HOST:PORT?addr=HOST:PORT&addr=HOST:PORT, a Cluster, of which
//     some nodes are named. With a single address it is named twice.
//   - redis://:PASSWORD@HOST:PORT/DATABASE?master_name=NAME&addr=HOST:PORT, a server
//     that these Sentinels name. PASSWORD is theirs, the server's own is in password=.
//
// Stores of different scopes have nothing in common.
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
	return &Store{
		client:  goredis.NewUniversalClient(options),
		prefix:  "kol-portrait:{" + scope + "}:",
		secrets: []secret.Secret{secret.New(address), secret.New(options.Password), secret.New(options.SentinelPassword)},
	}, nil
}

// layout is the version of what is under the keys.
const layout = "2"

// checkLayout refuses a server on which another version of this program keeps
// its portraits, and marks one on which nobody does.
func (s *Store) checkLayout(ctx context.Context) error {
	found, err := layoutScript.Run(ctx, s.client, s.keys("layout"), layout).Text()
	if err == nil && found != layout {
		err = fmt.Errorf("what is stored there is of another version of this program: its layout is %s, and this one knows %s", found, layout)
	}
	s.checked.Store(err == nil)
	return err
}

// Ping implements store.Store: the server lets this client in, and takes what it
// writes. Of a Cluster that is the node that has the keys.
func (s *Store) Ping(ctx context.Context) error {
	return s.failure(ctx, "ping", s.checkLayout(ctx))
}

// Risks says which of the server's own settings may lose what was paid for. Of a server
// that does not let its settings be read, it says nothing.
func (s *Store) Risks(ctx context.Context) (risks []string) {
	settings := map[string]string{}
	for _, name := range []string{"maxmemory", "maxmemory-policy", "appendonly", "save"} {
		found, err := s.client.ConfigGet(ctx, name).Result()
		if err != nil {
			return nil
		}
		settings[name] = found[name]
	}
	if policy := settings["maxmemory-policy"]; settings["maxmemory"] != "0" && policy != "noeviction" {
		risks = append(risks, "where its memory is full, Redis lets portraits and today's charges go: maxmemory-policy is "+policy+"; set it to noeviction")
	}
	if settings["appendonly"] == "no" && settings["save"] == "" {
		risks = append(risks, "Redis writes nothing to disk, and a restart loses all portraits: set appendonly to yes")
	}
	return risks
}

// Kind implements store.Store.
func (s *Store) Kind() string { return "redis" }

// Close implements store.Store. It ends the calls under way.
func (s *Store) Close() error {
	return s.failure(context.Background(), "close", s.client.Close())
}

// run runs a script, which is one step for everybody, and returns its answer,
// nil where it has none. It may run twice, since go-redis asks again when an
// answer did not arrive: a script has no second effect, but that of Turn.
func (s *Store) run(ctx context.Context, attempted string, script *goredis.Script, keys []string, args ...any) (answer any, err error) {
	err = s.do(ctx, attempted, func() error {
		answer, err = script.Run(ctx, s.client, keys, args...).Result()
		if errors.Is(err, goredis.Nil) {
			return nil
		}
		return err
	})
	return answer, err
}

// do asks the server, but not one on which another version keeps its portraits.
// That is looked up once: go-redis's own hook for new connections is also called
// for those to Sentinels, and to nodes of a Cluster that do not have the keys.
func (s *Store) do(ctx context.Context, attempted string, ask func() error) error {
	if !s.checked.Load() {
		if err := s.checkLayout(ctx); err != nil {
			return s.failure(ctx, attempted, err)
		}
	}
	return s.failure(ctx, attempted, ask())
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
