#!lua
-- Count a call in a window of its account. A call beyond the limit changes nothing.
-- KEYS: 1 windows of the partition
-- ARGV: 1 now (0: Redis's clock), 2 account id, 3 bucket, 4 length of a window in milliseconds,
--       5 limit
-- Returns {limit, calls in this window (one more than the limit: refused), its end, now}
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local limit = tonumber(ARGV[5])
local ends = string.format('%d', (math.floor(now / ARGV[4]) + 1) * ARGV[4])
local field = ARGV[2] .. '|' .. ARGV[3]
local window, count = string.match(redis.call('HGET', KEYS[1], field) or '', '^(%d+):(%d+)$')
count = (window == ends and tonumber(count) or 0) + 1
if count <= limit then
  redis.call('HSET', KEYS[1], field, ends .. ':' .. count)
  if count == 1 then redis.call('PEXPIRE', KEYS[1], 2 * ARGV[4]) end
end
return {limit, math.min(count, limit + 1), ends, string.format('%d', now)}
