#!lua flags=allow-oom
-- Grant outbound calls of an account in this minute: the requested number, at most an eighth of the
-- remaining ones (and at least one); and count the bytes of earlier calls. Unused grants end with
-- the minute.
-- KEYS: accounts, outbound (calls of the account)
-- ARGV: now?, account, host (its digest), window_ms, calls (requested), bytes, limits... (of every
--       limited tier its name, calls, calls to one host and bytes, 0 for unlimited)
-- Returns {calls granted (-1: unlimited), milliseconds until the window ends}
-- Uses: read_now
local now = read_now(ARGV.now)
local window = tonumber(ARGV.window_ms)
local ends = (math.floor(now / window) + 1) * window
local account = redis.call('HGET', KEYS.accounts, ARGV.account) or ''
local tier, limits = string.match(account, '^([^|]+)|'), nil
for position = FIRST.limits, LAST.limits, 4 do
  if ARGV[position] == tier then limits = position end
end
if not limits then return {-1, ends - now} end

local function limit(offset)
  local value = tonumber(ARGV[limits + offset])
  return value > 0 and value or math.huge
end

local stamp, host = string.format('%d', ends), 'h:' .. ARGV.host
local counted = redis.call('HMGET', KEYS.outbound, 'ends', 'calls', host, 'bytes')
local is_new = counted[1] ~= stamp
local function count(position)
  return not is_new and tonumber(counted[position]) or 0
end

local left = math.min(limit(1) - count(2), limit(2) - count(3))
local bytes = count(4) + tonumber(ARGV.bytes)
local granted = math.max(0, math.min(tonumber(ARGV.calls), left, math.max(1, math.floor(left / 8))))
if bytes >= limit(3) then granted = 0 end
if is_new then redis.call('DEL', KEYS.outbound) end
redis.call('HSET', KEYS.outbound, 'ends', stamp, 'bytes', string.format('%d', bytes),
  'calls', string.format('%d', count(2) + granted), host, string.format('%d', count(3) + granted))
if is_new then redis.call('PEXPIRE', KEYS.outbound, 2 * window) end
return {granted, ends - now}
