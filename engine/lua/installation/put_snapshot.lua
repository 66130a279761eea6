#!lua flags=allow-oom
-- Replace the snapshot of a process's metrics. Nothing changes when the sum of ended processes
-- includes a snapshot of this process that the caller does not know: it would be counted twice.
-- KEYS: 1 snapshots, 2 number of this process's snapshot in the sum
-- ARGV: 1 now (0: Redis's clock), 2 process, 3 number of the snapshot, 4 number of the snapshot
--       whose counts this one leaves out ('0': none), 5 samples as opaque bytes, 6 milliseconds to
--       keep KEYS[2]
-- Returns the number of the snapshot in the sum ('0': none); unlike ARGV[4]: not replaced
-- Uses: read_now
local now = read_now(ARGV[1])
local folded = redis.call('GET', KEYS[2]) or '0'
if folded ~= ARGV[4] then return folded end
local head = string.format('%d|%s|', math.floor(now / 1000), ARGV[3])
redis.call('HSET', KEYS[1], ARGV[2], head .. ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return folded
