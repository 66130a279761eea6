#!lua flags=allow-oom
-- Shorten leases of workers beyond the length of a lease: they predate a change of Redis's clock
-- backwards. A living worker renews its lease; a dead one is found in time.
-- Called again, the script changes nothing.
-- KEYS: 1 workers
-- ARGV: 1 now (0: Redis's clock), 2 lease in milliseconds
-- Returns OK
-- Uses: read_now
local longest = string.format('%d', read_now(ARGV[1]) + tonumber(ARGV[2]))
local workers = redis.call('ZRANGE', KEYS[1], '(' .. longest, '+inf', 'BYSCORE')
for _, worker in ipairs(workers) do redis.call('ZADD', KEYS[1], longest, worker) end
return redis.status_reply('OK')
