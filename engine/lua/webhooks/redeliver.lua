#!lua flags=allow-oom
-- Schedule a delivery at once, to the current URL of its webhook, with a fresh schedule. A running
-- attempt is not disturbed.
-- Called again, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: delivery, deliveries_due, webhook
-- ARGV: now?, reference, resend_ms (until a hint is repeated)
-- Returns 'ok' | 'missing' | 'disabled'
-- Uses: read_now
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)

local head = redis.call('HMGET', KEYS.delivery, 'status', 'token', 'next')
local webhook = redis.call('HMGET', KEYS.webhook, 'url', 'enabled', 'pending')
if not head[1] or not webhook[1] then return 'missing' end
if webhook[2] ~= '1' then return 'disabled' end
if head[1] == 'pending' and head[2] and tonumber(head[3]) > now then return 'ok' end
if webhook[3] and head[1] ~= 'pending' then redis.call('HINCRBY', KEYS.webhook, 'pending', 1) end
redis.call('HSET', KEYS.delivery, 'status', 'pending', 'url', webhook[1], 'tries', '0',
  'next', stamp)
redis.call('HDEL', KEYS.delivery, 'token')
local resend_at = string.format('%d', now + tonumber(ARGV.resend_ms))
redis.call('ZADD', KEYS.deliveries_due, resend_at, ARGV.reference)
return 'ok'
