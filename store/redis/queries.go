package redis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
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
//	times:KOL       sorted set of "ASOF SEQ ID", scored by when it was retrieved, in milliseconds
//	lease:KOL       hash of holder, and failure where there is one; expires with the lease
//	charged:DAY     set of the IDs of the day's charges
//	callers:DAY     hash of how many of them each caller with a name has
//	turn            when the next request to the vendor may be sent, in microseconds; expires then
func (s *Store) keys(names ...string) []string {
	for i, name := range names {
		names[i] = s.prefix + name
	}
	return names
}

// The comment on a script names its keys, and behind the semicolon its arguments.

// layoutScript: layout; the version that is marked where there is none. Returns the version.
var layoutScript = goredis.NewScript(`
redis.call('SETNX', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])`)

// saveScript: seq, kols, portraits, newest, days, times; KOL, ID, day, record,
// milliseconds of the retrieval, and those before which others are let go, or
// nothing. The portrait comes last: a save that ends halfway is made good by the next.
var saveScript = goredis.NewScript(`
if redis.call('HEXISTS', KEYS[3], ARGV[2]) == 0 then
	local member = string.format('%s %016d %s', ARGV[3], redis.call('INCR', KEYS[1]), ARGV[2])
	redis.call('ZADD', KEYS[2], 0, ARGV[1])
	redis.call('SET', KEYS[4], ARGV[2])
	if ARGV[3] ~= '' then
		redis.call('ZADD', KEYS[5], 0, member)
	end
	redis.call('ZADD', KEYS[6], ARGV[5], member)
	redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
	if ARGV[6] ~= '' then
		for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', '(' .. ARGV[6])) do
			redis.call('HDEL', KEYS[3], string.match(old, ' %d+ (.*)$'))
			redis.call('ZREM', KEYS[5], old)
			redis.call('ZREM', KEYS[6], old)
		end
	end
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

// chargeScript: charged, callers; ID, caller, limit of the day, limit of a
// caller. Returns a store.Refusal. What a day has counted is kept for 40 days.
var chargeScript = goredis.NewScript(`
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
	return 0
end
local day, own = tonumber(ARGV[3]), tonumber(ARGV[4])
if day > 0 and redis.call('SCARD', KEYS[1]) >= day then
	return 1
end
if ARGV[2] ~= '' then
	if own > 0 and tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or 0) >= own then
		return 2
	end
	redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
	redis.call('EXPIRE', KEYS[2], 40 * 24 * 60 * 60)
end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], 40 * 24 * 60 * 60)
return 0`)

// refundScript: charged, callers; ID, caller.
var refundScript = goredis.NewScript(`
if redis.call('SREM', KEYS[1], ARGV[1]) == 1 and ARGV[2] ~= '' and redis.call('HINCRBY', KEYS[2], ARGV[2], -1) <= 0 then
	redis.call('HDEL', KEYS[2], ARGV[2])
end`)

// chargedScript: charged, callers. Returns how many there are, and each caller with its number.
var chargedScript = goredis.NewScript(`return {redis.call('SCARD', KEYS[1]), redis.call('HGETALL', KEYS[2])}`)

// turnScript: turn; microseconds between two turns, and the longest wait. Returns
// the wait in microseconds. The clock is Redis' own: those of the processes may differ.
var turnScript = goredis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local wait, every = turn - now, tonumber(ARGV[1])
if wait <= tonumber(ARGV[2]) then
	redis.call('SET', KEYS[1], string.format('%.0f', turn + every), 'PX', math.ceil((wait + every) / 1000))
end
return wait`)

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

// Save implements store.Store. A portrait never expires: it is let go of when
// another of its KOL is saved.
func (s *Store) Save(ctx context.Context, p *schema.Portrait, keep time.Duration) error {
	attempted := "save a portrait of " + p.KOLID
	record, err := encode(p)
	if err != nil {
		return s.failure(ctx, attempted, err)
	}
	oldest := ""
	if keep > 0 {
		oldest = strconv.FormatInt(p.RetrievedAt.Add(-keep).UnixMilli(), 10)
	}
	keys := s.keys("seq", "kols", "portraits:"+p.KOLID, "newest:"+p.KOLID, "days:"+p.KOLID, "times:"+p.KOLID)
	_, err = s.run(ctx, attempted, saveScript, keys, p.KOLID, p.ID, p.AsOf, record, p.RetrievedAt.UnixMilli(), oldest)
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
func (s *Store) KOLs(ctx context.Context, prefix string, limit int) (ids []string, err error) {
	err = s.do(ctx, fmt.Sprintf("list KOLs that begin with %q", prefix), func() error {
		ids, err = s.client.ZRangeArgs(ctx, goredis.ZRangeArgs{
			Key: s.prefix + "kols", ByLex: true, Count: int64(limit),
			Start: "[" + prefix,
			Stop:  "(" + prefix + "~", // which is behind every character that an id may have
		}).Result()
		return err
	})
	return ids, err
}

// Acquire implements store.Store.
func (s *Store) Acquire(ctx context.Context, kolID, holder string, lasts time.Duration) (store.Lease, error) {
	attempted := "acquire the lease on " + kolID
	found, err := s.run(ctx, attempted, acquireScript, s.keys("lease:"+kolID), holder, lasts.Milliseconds())
	if err != nil {
		return store.Lease{}, err
	}
	answer, _ := found.([]any)
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
func (s *Store) Charge(ctx context.Context, c store.Charge, limits store.Limits) (store.Refusal, error) {
	refusal, err := s.run(ctx, "count a charge", chargeScript, s.chargeKeys(c.Day), c.ID, c.Caller, limits.Day, limits.Caller)
	n, _ := refusal.(int64)
	return store.Refusal(n), err
}

// Refund implements store.Store.
func (s *Store) Refund(ctx context.Context, c store.Charge) error {
	_, err := s.run(ctx, "refund a charge", refundScript, s.chargeKeys(c.Day), c.ID, c.Caller)
	return err
}

// Charged implements store.Store.
func (s *Store) Charged(ctx context.Context, day schema.Day) (charges store.Charges, err error) {
	found, err := s.run(ctx, "count the charges of "+string(day), chargedScript, s.chargeKeys(day))
	if err != nil {
		return store.Charges{}, err
	}
	answer, _ := found.([]any)
	all, _ := answer[0].(int64)
	callers, _ := answer[1].([]any)
	charges = store.Charges{All: int(all), Callers: map[string]int{}}
	for pair := range slices.Chunk(callers, 2) {
		caller, _ := pair[0].(string)
		n, _ := pair[1].(string)
		charges.Callers[caller], _ = strconv.Atoi(n) // HINCRBY has written it
	}
	return charges, nil
}

func (s *Store) chargeKeys(day schema.Day) []string {
	return s.keys("charged:"+string(day), "callers:"+string(day))
}

// Turn implements store.Store.
func (s *Store) Turn(ctx context.Context, every time.Duration) (time.Duration, error) {
	longest := time.Duration(math.MaxInt64)
	if ends, ok := ctx.Deadline(); ok {
		longest = time.Until(ends)
	}
	answer, err := s.run(ctx, "take a turn", turnScript, s.keys("turn"), max(every.Microseconds(), 1), longest.Microseconds())
	microseconds, _ := answer.(int64)
	return time.Duration(microseconds) * time.Microsecond, err
}
