#!lua flags=allow-oom
-- Schedule a delivery at once, to the current URL of its webhook, with a fresh schedule. A running
-- attempt is not disturbed.
-- Called again, the script returns its first answer.
-- KEYS: 1 delivery, 2 deliveries due, 3 webhook
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 milliseconds until a hint is repeated
-- Returns 'ok' | 'missing' | 'disabled'
-- Uses: read_now
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)

local head = redis.call('HMGET', KEYS[1], 'status', 'token', 'next')
local webhook = redis.call('HMGET', KEYS[3], 'url', 'enabled')
if not head[1] or not webhook[1] then return 'missing' end
if webhook[2] ~= '1' then return 'disabled' end
if head[1] == 'pending' and head[2] and tonumber(head[3]) > now then return 'ok' end
redis.call('HSET', KEYS[1], 'status', 'pending', 'url', webhook[1], 'tries', '0', 'next', stamp)
redis.call('HDEL', KEYS[1], 'token')
redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(ARGV[3])), ARGV[2])
return 'ok'
