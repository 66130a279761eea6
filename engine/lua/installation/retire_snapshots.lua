#!lua flags=allow-oom
-- Replace the snapshots of processes that are gone by one sum, and note for each process which of
-- its snapshots is in the sum. Refused when somebody else has done it, or a process came back.
-- KEYS: 1 snapshots, then for each process (≥ 1) the number of its snapshot that is in the sum
-- ARGV: 1 the sum as it was read ('' for none), 2 the new sum, 3 milliseconds for which these
--       numbers are kept, then for each process its name and the number of its snapshot as read
-- Returns 1 when it was done, else 0
local before = redis.call('HGET', KEYS[1], 'retired') or ''
if before ~= ARGV[1] or #KEYS < 2 then return 0 end
for position = 2, #KEYS do
  local found = redis.call('HGET', KEYS[1], ARGV[2 * position])
  local number = found and (string.match(found, '^%d+|(%d+)|') or '0')
  if number ~= ARGV[2 * position + 1] then return 0 end
end
redis.call('HSET', KEYS[1], 'retired', ARGV[2])
for position = 2, #KEYS do
  redis.call('HDEL', KEYS[1], ARGV[2 * position])
  redis.call('SET', KEYS[position], ARGV[2 * position + 1], 'PX', ARGV[3])
end
return 1
