package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// releasedStays is how long a released lease is told. Those who wait for a
// collection ask more often than that.
const releasedStays = 2 * time.Minute

// leaseFields is what the hash of a lease holds, in the order of their use.
// Absent is empty.
//
//	holder    the claim's
//	fresh     1 where the claim is
//	released  1 once it is
//	failure   a schema.Error as JSON, where there is one
//
// The hash expires with the lease, or some time after its release.
func leaseFields() []string {
	return []string{"holder", "fresh", "released", "failure"}
}

// acquireScript: lease; holder, fresh, milliseconds. Returns the fields of the
// lease in force.
const acquireScript = `
local lease = redis.call('HMGET', KEYS[1], 'holder', 'fresh', 'released', 'failure')
if lease[1] and lease[1] ~= ARGV[1] and lease[3] ~= '1' then
	return lease
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'fresh', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {ARGV[1], ARGV[2], false, false}`

// releaseScript: lease; holder, failure, milliseconds.
const releaseScript = `
local lease = redis.call('HMGET', KEYS[1], 'holder', 'released')
if lease[1] ~= ARGV[1] or lease[2] == '1' then
	return 0
end
redis.call('HSET', KEYS[1], 'released', '1', 'failure', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`

// Acquire sets an end that the server keeps to by its own clock.
func (s *Store) Acquire(ctx context.Context, c store.Claim, lasts time.Duration) (store.Lease, error) {
	attempted := "acquire the lease on " + c.KOLID
	fields, err := s.run(ctx, attempted, s.scripts.acquire, []string{s.keys.lease(c.KOLID)},
		c.Holder, flag(c.Fresh), max(1, lasts.Milliseconds()))
	if err != nil {
		return store.Lease{}, err
	}
	return s.lease(attempted, fields)
}

// Lease is one round trip.
func (s *Store) Lease(ctx context.Context, kolID string) (store.Lease, error) {
	attempted := "read the lease on " + kolID
	fields, err := ask(ctx, s, attempted, func(ctx context.Context) (any, error) {
		fields, err := s.client.HMGet(ctx, s.keys.lease(kolID), leaseFields()...).Result()
		return fields, err
	})
	if err != nil {
		return store.Lease{}, err
	}
	return s.lease(attempted, fields)
}

// Release leaves the lease readable for two minutes.
func (s *Store) Release(ctx context.Context, c store.Claim, failure *schema.Error) error {
	var why []byte
	if failure != nil {
		var err error
		if why, err = json.Marshal(failure); err != nil {
			return fmt.Errorf("redis: encode the failure of a collection: %w", err)
		}
	}
	_, err := s.run(ctx, "release the lease on "+c.KOLID, s.scripts.release, []string{s.keys.lease(c.KOLID)},
		c.Holder, why, releasedStays.Milliseconds())
	return err
}

var errLease = errors.New("not a lease; something else writes to this key")

// lease reads the fields of a lease, which are all nil where there is none.
func (s *Store) lease(attempted string, fields any) (store.Lease, error) {
	list, ok := fields.([]any)
	if !ok || len(list) != len(leaseFields()) {
		return store.Lease{}, s.failure(attempted, errLease)
	}
	text := make([]string, len(list))
	for i, field := range list {
		text[i], _ = field.(string)
	}
	l := store.Lease{Holder: text[0], Fresh: text[1] == "1", Released: text[2] == "1"}
	if text[3] == "" {
		return l, nil
	}
	if json.Unmarshal([]byte(text[3]), &l.Failure) != nil {
		return store.Lease{}, s.failure(attempted, errLease)
	}
	return l, nil
}

func flag(set bool) string {
	if set {
		return "1"
	}
	return "0"
}
