#!lua flags=allow-oom
-- Put a sample of the last hour into its slot, with the counts from which the next one is made.
-- Refused when another worker has done it, since both count from the same `before`.
-- KEYS: samples
-- ARGV: slot, sample? (as opaque bytes; absent: none), before? (counts as read; absent: none),
--       totals
-- Returns 1 when put, else 0
local before = redis.call('HGET', KEYS.samples, 'totals') or ''
if before ~= ARGV.before then return 0 end
redis.call('HSET', KEYS.samples, 'totals', ARGV.totals)
if ARGV.sample ~= '' then redis.call('HSET', KEYS.samples, ARGV.slot, ARGV.sample) end
return 1
