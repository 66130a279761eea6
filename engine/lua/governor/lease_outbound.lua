#!lua flags=allow-oom
-- Grant outbound calls of an account in this minute: the requested number, at most an eighth of the
-- remaining ones (and at least one); and count the bytes of earlier calls. Unused grants end with
-- the minute.
-- KEYS: 1 accounts of the partition, 2 the account's outbound calls
-- ARGV: 1 now (0: Redis's clock), 2 account id, 3 digest of the host, 4 length of a window in
--       milliseconds, 5 calls requested, 6 bytes, then of every limited tier its name, calls, calls
--       to one host and bytes (0: unlimited)
-- Returns {calls granted (-1: unlimited), milliseconds until the window ends}
-- Uses: read_now
local now = read_now(ARGV[1])
local window = tonumber(ARGV[4])
local ends = (math.floor(now / window) + 1) * window
local tier, limits = string.match(redis.call('HGET', KEYS[1], ARGV[2]) or '', '^([^|]+)|'), nil
for position = 7, #ARGV, 4 do
  if ARGV[position] == tier then limits = position end
end
if not limits then return {-1, ends - now} end

local function limit(offset)
  local value = tonumber(ARGV[limits + offset])
  return value > 0 and value or math.huge
end

local stamp, host = string.format('%d', ends), 'h:' .. ARGV[3]
local counted = redis.call('HMGET', KEYS[2], 'ends', 'calls', host, 'bytes')
local is_new = counted[1] ~= stamp
local function count(position)
  return not is_new and tonumber(counted[position]) or 0
end

local left = math.min(limit(1) - count(2), limit(2) - count(3))
local bytes = count(4) + tonumber(ARGV[6])
local granted = math.max(0, math.min(tonumber(ARGV[5]), left, math.max(1, math.floor(left / 8))))
if bytes >= limit(3) then granted = 0 end
if is_new then redis.call('DEL', KEYS[2]) end
redis.call('HSET', KEYS[2], 'ends', stamp, 'bytes', string.format('%d', bytes),
  'calls', string.format('%d', count(2) + granted), host, string.format('%d', count(3) + granted))
if is_new then redis.call('PEXPIRE', KEYS[2], 2 * window) end
return {granted, ends - now}
