#!lua flags=allow-oom
-- Record an attempt at a delivery and its outcome, and disable a webhook that is gone or has only
-- failed for too long. Values that are not to be recorded are removed with the end of the delivery.
-- Called again with the same fence, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: delivery, deliveries_due, webhook, unarchived_deliveries
-- ARGV: now?, reference, fence, outcome ('delivered', 'pending' or 'failed'), delay_ms (until the
--       next attempt), attempt (its record), most_attempts, disabling? (reason to disable the
--       webhook), most_failing_ms (of failures that disable it), failing_reason (of that
--       disabling)
-- Returns {'ok', status, reason of a disabling by this attempt ('' none)} | {'fenced'}
-- Uses: read_now
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)

local head = redis.call('HMGET', KEYS.delivery, 'status', 'fence', 'settled', 'url', 'disabling',
  'drops_values', 'wait')
if head[2] ~= ARGV.fence then return {'fenced'} end
if head[3] == ARGV.fence then return {'ok', head[1], head[5] or ''} end

local status, reason, disabling = ARGV.outcome, ARGV.disabling, ''
local webhook = redis.call('HMGET', KEYS.webhook, 'url', 'failing_since', 'enabled', 'pending')
if webhook[1] and webhook[1] == head[4] then
  if status == 'delivered' then
    redis.call('HDEL', KEYS.webhook, 'failing_since')
  elseif not webhook[2] then
    redis.call('HSET', KEYS.webhook, 'failing_since', stamp)
  elseif reason == '' and now - tonumber(webhook[2]) >= tonumber(ARGV.most_failing_ms) then
    reason = ARGV.failing_reason
  end
  if reason ~= '' then
    if webhook[3] == '1' then -- the first reason stays
      disabling = reason
      redis.call('HSET', KEYS.webhook, 'enabled', '0', 'reason', reason)
    end
    status = 'failed'
  end
end
redis.call('HINCRBY', KEYS.delivery, 'tries', 1)
redis.call('HDEL', KEYS.delivery, 'token', 'disabling')
if disabling ~= '' then redis.call('HSET', KEYS.delivery, 'disabling', disabling) end
local next_at = string.format('%d', now + tonumber(ARGV.delay_ms))
redis.call('HSET', KEYS.delivery, 'status', status, 'settled', ARGV.fence, 'next', next_at,
  'a' .. string.format('%d', tonumber(ARGV.fence) % tonumber(ARGV.most_attempts)), ARGV.attempt)
if status == 'pending' then
  redis.call('ZADD', KEYS.deliveries_due, next_at, ARGV.reference)
else
  if head[6] == '1' then -- the facts of the wait stay
    redis.call('HSET', KEYS.delivery, 'wait', string.match(head[7], '^[^\n]*'))
  end
  redis.call('ZREM', KEYS.deliveries_due, ARGV.reference)
  redis.call('ZADD', KEYS.unarchived_deliveries, stamp, ARGV.reference .. '/' .. ARGV.fence)
  if webhook[4] then
    -- Uses: end_pending_delivery
    end_pending_delivery()
  end
end
return {'ok', status, disabling}
