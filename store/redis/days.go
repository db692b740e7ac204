package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// dayStays is how long the figures of a day are kept after the last change.
const dayStays = 40 * 24 * time.Hour

// chargeScript: charges; ID, limit, seconds. It keeps IDs rather than a number,
// because one that is added twice is there once.
const chargeScript = `
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
	return 1
end
local limit = tonumber(ARGV[2])
if limit > 0 and redis.call('SCARD', KEYS[1]) >= limit then
	return 0
end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1`

// hitsScript: hits; number, seconds.
const hitsScript = `
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1`

// Charge is one step on the server, so the limit holds over all processes.
func (s *Store) Charge(ctx context.Context, c store.Charge, limit int) (bool, error) {
	counted, err := s.run(ctx, "count a charge for "+c.KOLID, s.scripts.charge, []string{s.keys.charges(c.Day)},
		c.ID, limit, seconds(dayStays))
	return counted == int64(1), err
}

// Refund forgets the charge's ID.
func (s *Store) Refund(ctx context.Context, c store.Charge) error {
	_, err := ask(ctx, s, "refund a charge for "+c.KOLID, func(ctx context.Context) (int64, error) {
		return s.client.SRem(ctx, s.keys.charges(c.Day), c.ID).Result()
	})
	return err
}

// AddHits is sent once: unlike the others it would count twice when repeated.
func (s *Store) AddHits(ctx context.Context, day schema.Day, n int) error {
	_, err := ask(ctx, s, "count answers from the store", func(ctx context.Context) (any, error) {
		add := once{goredis.NewCmd(ctx, "EVAL", hitsScript, 1, s.keys.hits(day), n, seconds(dayStays))}
		return nil, s.client.Process(ctx, add)
	})
	return err
}

// Counts is one round trip.
func (s *Store) Counts(ctx context.Context, day schema.Day) (store.Counts, error) {
	attempted := "read the figures of " + string(day)
	return ask(ctx, s, attempted, func(ctx context.Context) (store.Counts, error) {
		var charged *goredis.IntCmd
		var hits *goredis.StringCmd
		_, err := s.client.Pipelined(ctx, func(p goredis.Pipeliner) error {
			charged = p.SCard(ctx, s.keys.charges(day))
			hits = p.Get(ctx, s.keys.hits(day))
			return nil
		})
		if err != nil && !errors.Is(err, goredis.Nil) { // Nil: a day without hits
			return store.Counts{}, err
		}
		return counts(charged.Val(), hits.Val())
	})
}

func counts(charged int64, hits string) (store.Counts, error) {
	c := store.Counts{Charged: int(charged)}
	if hits == "" {
		return c, nil
	}
	n, err := strconv.Atoi(hits)
	if err != nil {
		return store.Counts{}, fmt.Errorf("hits: %w", err)
	}
	c.Hits = n
	return c, nil
}

// once is a command that go-redis does not repeat.
type once struct{ *goredis.Cmd }

// NoRetry makes it so.
func (once) NoRetry() bool { return true }

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
