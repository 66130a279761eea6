#!lua
-- Add a client of OAuth or a request for a grant, unless its address has added as many as it may.
-- Records whose time is over go, and the oldest of too many.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: records, by_end, window (of the address)
-- ARGV: now?, id, record, keep_ms, most (records), window_ms, most_in_window, all_ms? (until all
--       records go when none is added; absent: they stay)
-- Returns 0, or the milliseconds until the address may add one
-- Uses: read_now, enter_window, trim_records
local now = read_now(ARGV.now)
if redis.call('HEXISTS', KEYS.records, ARGV.id) == 1 then return 0 end

local window_ms = tonumber(ARGV.window_ms)
local wait = enter_window(KEYS.window, ARGV.id, now, window_ms, ARGV.most_in_window)
if wait > 0 then return wait end
redis.call('HSET', KEYS.records, ARGV.id, ARGV.record)
redis.call('ZADD', KEYS.by_end, string.format('%d', now + tonumber(ARGV.keep_ms)), ARGV.id)
trim_records(KEYS.records, KEYS.by_end, now, ARGV.most)
if ARGV.all_ms ~= '' then
  redis.call('PEXPIRE', KEYS.records, ARGV.all_ms)
  redis.call('PEXPIRE', KEYS.by_end, ARGV.all_ms)
end
return 0
