#!lua flags=allow-oom
-- Postpone the hint of a pending delivery to the next window of its account's outbound calls. This
-- is no attempt.
-- After a lost reply the call is sent again.
-- KEYS: deliveries_due
-- ARGV: now?, reference, window_ms, spread_ms (after the window's begin)
-- Returns 1 | 0 when no hint is due
-- Uses: read_now
local now = read_now(ARGV.now)
local window = tonumber(ARGV.window_ms)

if not redis.call('ZSCORE', KEYS.deliveries_due, ARGV.reference) then return 0 end
local at = (math.floor(now / window) + 1) * window + tonumber(ARGV.spread_ms)
redis.call('ZADD', KEYS.deliveries_due, string.format('%d', at), ARGV.reference)
return 1
