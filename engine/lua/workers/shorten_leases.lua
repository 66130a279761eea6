#!lua flags=allow-oom
-- Shorten leases of workers beyond the length of a lease: they predate a change of Redis's clock
-- backwards. A living worker renews its lease; a dead one is found in time.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: workers
-- ARGV: now?, lease_ms
-- Returns OK
-- Uses: read_now
local longest = string.format('%d', read_now(ARGV.now) + tonumber(ARGV.lease_ms))
local workers = redis.call('ZRANGE', KEYS.workers, '(' .. longest, '+inf', 'BYSCORE')
for _, worker in ipairs(workers) do redis.call('ZADD', KEYS.workers, longest, worker) end
return redis.status_reply('OK')
