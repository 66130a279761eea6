#!lua
-- Read the account of a session, as authorize_session does, and count the call in the account's
-- window when its tier has a limit. A call beyond the limit changes nothing.
-- KEYS: 1 session, 2 accounts of the partition, 3 windows of the partition
-- ARGV: 1 now (0: Redis's clock), 2 milliseconds left below which the session is due for renewal,
--       3 bucket, 4 length of a window in milliseconds, then tier and limit of every tier that has
--       one
-- Returns {account record, 1 | 0} and behind it, when there is a limit, the limit, calls in this
--         window (one more than the limit: refused), its end and now | false
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local account_id = redis.call('GET', KEYS[1])
if not account_id then return false end
local account = redis.call('HGET', KEYS[2], account_id)
if not account then return false end
local is_due = redis.call('PTTL', KEYS[1]) < ARGV[2] + 0 and 1 or 0

local tier, limit = string.match(account, '^([^|]+)|'), nil
for position = 5, #ARGV, 2 do
  if ARGV[position] == tier then limit = tonumber(ARGV[position + 1]) end
end
if not limit then return {account, is_due} end

local ends = string.format('%d', (math.floor(now / ARGV[4]) + 1) * ARGV[4])
local field = account_id .. '|' .. ARGV[3]
local window, count = string.match(redis.call('HGET', KEYS[3], field) or '', '^(%d+):(%d+)$')
count = (window == ends and tonumber(count) or 0) + 1
if count <= limit then
  redis.call('HSET', KEYS[3], field, ends .. ':' .. count)
  if count == 1 then redis.call('PEXPIRE', KEYS[3], 2 * ARGV[4]) end
end
return {account, is_due, limit, math.min(count, limit + 1), ends, string.format('%d', now)}
