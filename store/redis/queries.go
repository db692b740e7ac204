package redis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// The keys, behind the prefix of all:
//
//	layout          the version of all this
//	seq             how many portraits were ever saved
//	kols            sorted set of the KOLs with a portrait, all with the score 0
//	portraits:KOL   hash of the KOL's portraits by ID, see encode
//	newest:KOL      the ID of the one stored last
//	days:KOL        sorted set of "ASOF SEQ ID", all with the score 0, which sorts them as text
//	lease:KOL       hash of holder, and failure where there is one; expires with the lease
//	charged:DAY     set of the IDs of the day's charges
func (s *Store) keys(names ...string) []string {
	for i, name := range names {
		names[i] = s.prefix + name
	}
	return names
}

// The comment on a script names its keys, and behind the semicolon its arguments.

// saveScript: seq, kols, portraits, newest, days; KOL, ID, day, record. The
// portrait comes last: a save that ends halfway is made good by the next.
var saveScript = goredis.NewScript(`
if redis.call('HEXISTS', KEYS[3], ARGV[2]) == 0 then
	local seq = redis.call('INCR', KEYS[1])
	redis.call('ZADD', KEYS[2], 0, ARGV[1])
	redis.call('SET', KEYS[4], ARGV[2])
	if ARGV[3] ~= '' then
		redis.call('ZADD', KEYS[5], 0, string.format('%s %016d %s', ARGV[3], seq, ARGV[2]))
	end
	redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
end`)

// newestScript: portraits, newest.
var newestScript = goredis.NewScript(`
local id = redis.call('GET', KEYS[2])
return id and redis.call('HGET', KEYS[1], id)`)

// olderScript: portraits, days; day.
var olderScript = goredis.NewScript(`
local last = redis.call('ZRANGE', KEYS[2], '(' .. ARGV[1], '-', 'BYLEX', 'REV', 'LIMIT', 0, 1)[1]
return last and redis.call('HGET', KEYS[1], string.match(last, ' %d+ (.*)$'))`)

// acquireScript: lease; holder, milliseconds. Returns the holder, failure and
// milliseconds of the lease in force.
var acquireScript = goredis.NewScript(`
local lease = redis.call('HMGET', KEYS[1], 'holder', 'failure')
if lease[1] and (lease[1] ~= ARGV[1] or lease[2]) then
	return {lease[1], lease[2] or '', redis.call('PTTL', KEYS[1])}
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {ARGV[1], '', tonumber(ARGV[2])}`)

// releaseScript: lease; holder.
var releaseScript = goredis.NewScript(`
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
	redis.call('DEL', KEYS[1])
end`)

// failScript: lease; holder, failure, milliseconds.
var failScript = goredis.NewScript(`
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
	redis.call('HSET', KEYS[1], 'failure', ARGV[2])
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
end`)

// chargeScript: charged; ID, limit. A call that is counted already is added
// again, and so counted once. What a day has counted is kept for 40 days.
var chargeScript = goredis.NewScript(`
local limit = tonumber(ARGV[2])
if limit == 0 or redis.call('SCARD', KEYS[1]) < limit or redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
	redis.call('SADD', KEYS[1], ARGV[1])
	redis.call('EXPIRE', KEYS[1], 40 * 24 * 60 * 60)
	return 1
end
return 0`)

// Newest implements store.Store, in one round trip.
func (s *Store) Newest(ctx context.Context, kolID string) (*schema.Portrait, error) {
	return s.find(ctx, "read the newest portrait of "+kolID, newestScript, s.keys("portraits:"+kolID, "newest:"+kolID))
}

// Older implements store.Store, in one round trip.
func (s *Store) Older(ctx context.Context, kolID, asOf string) (*schema.Portrait, error) {
	return s.find(ctx, "read an older portrait of "+kolID, olderScript, s.keys("portraits:"+kolID, "days:"+kolID), asOf)
}

// find returns the portrait that a script finds, nil where there is none.
func (s *Store) find(ctx context.Context, attempted string, script *goredis.Script, keys []string, args ...any) (*schema.Portrait, error) {
	record, err := s.run(ctx, attempted, script, keys, args...)
	if err != nil || record == nil {
		return nil, err
	}
	text, _ := record.(string)
	p, err := decode(text)
	return p, s.failure(ctx, attempted, err)
}

// Save implements store.Store. A portrait never expires.
func (s *Store) Save(ctx context.Context, p *schema.Portrait) error {
	attempted := "save a portrait of " + p.KOLID
	record, err := encode(p)
	if err != nil {
		return s.failure(ctx, attempted, err)
	}
	keys := s.keys("seq", "kols", "portraits:"+p.KOLID, "newest:"+p.KOLID, "days:"+p.KOLID)
	_, err = s.run(ctx, attempted, saveScript, keys, p.KOLID, p.ID, p.AsOf, record)
	return err
}

// encode returns a portrait as a line of JSON, and behind it the data as it is,
// which need not be JSON.
func encode(p *schema.Portrait) ([]byte, error) {
	head := *p
	head.RetrievedAt = p.RetrievedAt.UTC().Truncate(time.Millisecond)
	head.Data = nil
	record, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	return append(append(record, '\n'), p.Data...), nil
}

// decode is the reverse of encode.
func decode(record string) (*schema.Portrait, error) {
	head, data, _ := bytes.Cut([]byte(record), []byte("\n"))
	var p schema.Portrait
	if err := json.Unmarshal(head, &p); err != nil {
		return nil, err
	}
	p.Data = append(json.RawMessage(nil), data...) // nil where there is none
	return &p, nil
}

// KOLs implements store.Store.
func (s *Store) KOLs(ctx context.Context, prefix string, limit int) ([]string, error) {
	ids, err := s.client.ZRangeArgs(ctx, goredis.ZRangeArgs{
		Key: s.prefix + "kols", ByLex: true, Count: int64(limit),
		Start: "[" + prefix,
		Stop:  "(" + prefix + "~", // which is behind every character that an id may have
	}).Result()
	return ids, s.failure(ctx, fmt.Sprintf("list KOLs that begin with %q", prefix), err)
}

// Acquire implements store.Store.
func (s *Store) Acquire(ctx context.Context, kolID, holder string, lasts time.Duration) (store.Lease, error) {
	attempted := "acquire the lease on " + kolID
	answer, err := acquireScript.Run(ctx, s.client, s.keys("lease:"+kolID), holder, lasts.Milliseconds()).Slice()
	if err != nil {
		return store.Lease{}, s.failure(ctx, attempted, err)
	}
	var lease store.Lease
	lease.Holder, _ = answer[0].(string)
	failure, _ := answer[1].(string)
	left, _ := answer[2].(int64)
	lease.Left = time.Duration(left) * time.Millisecond
	if failure != "" {
		err = json.Unmarshal([]byte(failure), &lease.Failure)
	}
	return lease, s.failure(ctx, attempted, err)
}

// Release implements store.Store.
func (s *Store) Release(ctx context.Context, kolID, holder string) error {
	_, err := s.run(ctx, "release the lease on "+kolID, releaseScript, s.keys("lease:"+kolID), holder)
	return err
}

// Fail implements store.Store.
func (s *Store) Fail(ctx context.Context, kolID, holder string, failure *schema.Error, lasts time.Duration) error {
	attempted := "leave a failure with the lease on " + kolID
	text, err := json.Marshal(failure)
	if err != nil {
		return s.failure(ctx, attempted, err)
	}
	_, err = s.run(ctx, attempted, failScript, s.keys("lease:"+kolID), holder, text, lasts.Milliseconds())
	return err
}

// Charge implements store.Store.
func (s *Store) Charge(ctx context.Context, c store.Charge, limit int) (bool, error) {
	counted, err := s.run(ctx, "count a charge", chargeScript, s.keys("charged:"+string(c.Day)), c.ID, limit)
	return counted == int64(1), err
}

// Refund implements store.Store.
func (s *Store) Refund(ctx context.Context, c store.Charge) error {
	return s.failure(ctx, "refund a charge", s.client.SRem(ctx, s.prefix+"charged:"+string(c.Day), c.ID).Err())
}

// Charged implements store.Store.
func (s *Store) Charged(ctx context.Context, day schema.Day) (int, error) {
	n, err := s.client.SCard(ctx, s.prefix+"charged:"+string(day)).Result()
	return int(n), s.failure(ctx, "count the charges of "+string(day), err)
}
