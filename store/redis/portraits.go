package redis

import (
	"context"
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"kol-portrait-mcp/store"
)

// saveScript: portraits, kols, saved, days; milliseconds, record. The ID comes
// last, so that a save which ends halfway is made good by the next.
const saveScript = recordFunctions + `
local head = headOf(ARGV[2])
if redis.call('SISMEMBER', KEYS[3], head.id) == 0 then
	redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
	redis.call('ZADD', KEYS[2], 0, head.kolId)
	redis.call('ZADD', KEYS[4], 0, entry(head, ARGV[1]))
	redis.call('SADD', KEYS[3], head.id)
end
return 1`

// Newest is one round trip. Of portraits retrieved in the same millisecond it
// returns the one with the greatest ID.
func (s *Store) Newest(ctx context.Context, kolID string) (*store.Portrait, error) {
	attempted := "read the newest portrait of " + kolID
	records, err := ask(ctx, s, attempted, func(ctx context.Context) ([]string, error) {
		return s.client.ZRangeArgs(ctx, goredis.ZRangeArgs{Key: s.keys.portraits(kolID), Start: 0, Stop: 0, Rev: true}).Result()
	})
	if err != nil {
		return nil, err
	}
	return s.first(attempted, kolID, records)
}

// first returns the first of a KOL's records, nil where there is none.
func (s *Store) first(attempted, kolID string, records []string) (*store.Portrait, error) {
	if len(records) == 0 {
		return nil, nil
	}
	p, err := decode(kolID, records[0])
	if err != nil {
		return nil, s.failure(attempted, err)
	}
	return p, nil
}

// Save keeps a portrait for good: it never expires.
func (s *Store) Save(ctx context.Context, p store.Portrait) error {
	record, err := encode(p)
	if err != nil {
		return err
	}
	keys := []string{s.keys.portraits(p.KOLID), s.keys.kols(), s.keys.saved(), s.keys.days(p.KOLID)}
	_, err = s.run(ctx, "save a portrait of "+p.KOLID, s.scripts.save, keys, p.RetrievedAt.UnixMilli(), record)
	return err
}

// KOLs returns ids in the order of their bytes.
func (s *Store) KOLs(ctx context.Context, prefix string, limit int) ([]string, error) {
	if limit <= 0 {
		return nil, nil
	}
	return ask(ctx, s, fmt.Sprintf("list KOLs that begin with %q", prefix), func(ctx context.Context) ([]string, error) {
		return s.client.ZRangeArgs(ctx, goredis.ZRangeArgs{
			Key: s.keys.kols(), ByLex: true, Count: int64(limit),
			Start: "[" + prefix,
			Stop:  "(" + prefix + "\xff", // no id holds such a byte
		}).Result()
	})
}
