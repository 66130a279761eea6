#!lua flags=allow-oom
-- Remove occurrences of a trigger that are in the history, or whose retention is over. Called again
-- with them, the script changes nothing.
-- KEYS: triggers, occurrences, listed (set that names them as archived, or as not archived),
--       by_time... (sets of the occurrences)
-- ARGV: id (of the trigger), prefix (of their references), ids... (at most 1,000)
-- Returns their number
local ids = {unpack(ARGV, FIRST.ids, LAST.ids)}
local newest = -1
for _, record in ipairs(redis.call('HMGET', KEYS.occurrences, unpack(ids))) do
  local at = record and string.match(record, '^%a+,(%d+)')
  newest = math.max(newest, tonumber(at or '-1'))
end
local field = ARGV.id .. '.forgotten'
local known = tonumber(redis.call('HGET', KEYS.triggers, field) or '-1')
if newest > known and redis.call('HEXISTS', KEYS.triggers, ARGV.id) == 1 then
  redis.call('HSET', KEYS.triggers, field, string.format('%d', newest))
end
local references = {}
for place, id in ipairs(ids) do references[place] = ARGV.prefix .. id end
redis.call('ZREM', KEYS.listed, unpack(references))
for place = FIRST.by_time, LAST.by_time do redis.call('ZREM', KEYS[place], unpack(ids)) end
return redis.call('HDEL', KEYS.occurrences, unpack(ids))
