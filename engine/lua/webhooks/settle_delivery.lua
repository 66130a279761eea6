#!lua flags=allow-oom
-- Record an attempt at a delivery and its outcome, and disable a webhook that is gone or has only
-- failed for too long.
-- Called again with the same fence, the script changes nothing.
-- KEYS: 1 delivery, 2 deliveries due, 3 webhook, 4 unarchived deliveries
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 fence, 4 'delivered'|'pending'|'failed',
--       5 milliseconds until the next attempt, 6 record of the attempt, 7 attempts to keep,
--       8 reason to disable the webhook ('' none), 9 milliseconds of failures that disable it,
--       10 reason for that case
-- Returns {'ok', status, reason of a disabling by this attempt ('' none)} | {'fenced'}
-- Uses: read_now
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)

local head = redis.call('HMGET', KEYS[1], 'status', 'fence', 'settled', 'url', 'disabling')
if head[2] ~= ARGV[3] then return {'fenced'} end
if head[3] == ARGV[3] then return {'ok', head[1], head[5] or ''} end

local status, reason, disabling = ARGV[4], ARGV[8], ''
local webhook = redis.call('HMGET', KEYS[3], 'url', 'failing', 'enabled')
if webhook[1] and webhook[1] == head[4] then
  if status == 'delivered' then
    redis.call('HDEL', KEYS[3], 'failing')
  elseif not webhook[2] then
    redis.call('HSET', KEYS[3], 'failing', stamp)
  elseif reason == '' and now - tonumber(webhook[2]) >= tonumber(ARGV[9]) then
    reason = ARGV[10]
  end
  if reason ~= '' then
    disabling = webhook[3] == '1' and reason or ''
    redis.call('HSET', KEYS[3], 'enabled', '0', 'reason', reason)
    status = 'failed'
  end
end
redis.call('HINCRBY', KEYS[1], 'tries', 1)
redis.call('HDEL', KEYS[1], 'token', 'disabling')
if disabling ~= '' then redis.call('HSET', KEYS[1], 'disabling', disabling) end
local next_at = string.format('%d', now + tonumber(ARGV[5]))
redis.call('HSET', KEYS[1], 'status', status, 'settled', ARGV[3], 'next', next_at,
  'a' .. string.format('%d', tonumber(ARGV[3]) % tonumber(ARGV[7])), ARGV[6])
if status == 'pending' then
  redis.call('ZADD', KEYS[2], next_at, ARGV[2])
else
  redis.call('ZREM', KEYS[2], ARGV[2])
  redis.call('ZADD', KEYS[4], stamp, ARGV[2] .. '/' .. ARGV[3])
end
return {'ok', status, disabling}
