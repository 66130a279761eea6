#!lua flags=allow-oom
-- Replace the snapshot of a process's metrics. Nothing changes when the sum of ended processes
-- includes a snapshot of this process that the caller does not know: it would be counted twice.
-- After a lost reply the call is sent again.
-- KEYS: snapshots, folded (number of the snapshot of this process in the sum)
-- ARGV: now?, process, number (of the snapshot), left_out (number of the snapshot whose counts
--       this one leaves out, 0: none), samples (as opaque bytes), folded_ms (to keep `folded`)
-- Returns the number of the snapshot in the sum ('0': none); unlike `left_out`: not replaced
-- Uses: read_now
local now = read_now(ARGV.now)
local folded = redis.call('GET', KEYS.folded) or '0'
if folded ~= ARGV.left_out then return folded end
local head = string.format('%d|%s|', math.floor(now / 1000), ARGV.number)
redis.call('HSET', KEYS.snapshots, ARGV.process, head .. ARGV.samples)
redis.call('PEXPIRE', KEYS.folded, ARGV.folded_ms)
return folded
