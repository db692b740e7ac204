package redis

import (
	"context"

	"kol-portrait-mcp/store"
)

// recordFunctions read the first line of a record, and make the entry of a
// portrait among its KOL's days: in the order of their bytes, entries are in the
// order of day, time and ID. Where there is no day, the entry begins with a
// space. No ID has one.
const recordFunctions = `
local function headOf(record)
	local ends = string.find(record, '\n', 1, true)
	local ok, head = pcall(cjson.decode, string.sub(record, 1, (ends or 1) - 1))
	if ok and type(head) == 'table' and type(head.id) == 'string' then
		return head
	end
end
local function entry(head, milliseconds)
	local day = type(head.asOf) == 'string' and head.asOf or ''
	return day .. ' ' .. string.format('%013d', tonumber(milliseconds)) .. ' ' .. head.id
end`

// olderScript: portraits, days; day, how many records to hold at a time. Where
// there are not as many entries as portraits, as where an earlier version has
// saved some, they are made anew first.
const olderScript = recordFunctions + `
if redis.call('ZCARD', KEYS[1]) ~= redis.call('ZCARD', KEYS[2]) then
	redis.call('DEL', KEYS[2])
	local from, most = 0, tonumber(ARGV[2])
	repeat
		local records = redis.call('ZRANGE', KEYS[1], from, from + most - 1, 'WITHSCORES')
		for i = 1, #records, 2 do
			local head = headOf(records[i])
			if head then
				redis.call('ZADD', KEYS[2], 0, entry(head, records[i + 1]))
			end
		end
		from = from + most
	until #records < 2 * most
end
local last = redis.call('ZRANGE', KEYS[2], '(' .. ARGV[1], '[0', 'BYLEX', 'REV', 'LIMIT', 0, 1)[1] or ''
local at, id = string.match(last, ' (%d+) (%S+)$')
if not at then
	return {}
end
for _, record in ipairs(redis.call('ZRANGE', KEYS[1], at, at, 'BYSCORE')) do
	local head = headOf(record)
	if head and head.id == id then
		return {record}
	end
end
return {}`

// mostAtOnce is how many records olderScript holds at a time.
const mostAtOnce = 64

// Older is one round trip. Of portraits of one day that were retrieved in the
// same millisecond it returns the one with the greatest ID.
func (s *Store) Older(ctx context.Context, kolID, asOf string) (*store.Portrait, error) {
	attempted := "read an older portrait of " + kolID
	keys := []string{s.keys.portraits(kolID), s.keys.days(kolID)}
	records, err := ask(ctx, s, attempted, func(ctx context.Context) ([]string, error) {
		return s.scripts.older.Run(ctx, s.client, keys, asOf, mostAtOnce).StringSlice()
	})
	if err != nil {
		return nil, err
	}
	return s.first(attempted, kolID, records)
}
