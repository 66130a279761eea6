#!lua flags=allow-oom
-- Renew the lease of a gateway process on the waits of its callers.
-- After a lost reply the call is sent again.
-- KEYS: gateways
-- ARGV: now?, channel (of its notifier), lease_ms
-- Returns now
-- Uses: read_now
local now = read_now(ARGV.now)
local lease = string.format('%d:%d', now, now + tonumber(ARGV.lease_ms))
redis.call('HSET', KEYS.gateways, ARGV.channel, lease)
return string.format('%d', now)
