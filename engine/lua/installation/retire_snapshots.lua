#!lua flags=allow-oom
-- Replace the snapshots of ended processes by one sum, and record each process's snapshot in it.
-- Refused when another caller has done it, or a process has written again.
-- KEYS: 1 snapshots, then for each process (≥ 1) the number of its snapshot in the sum
-- ARGV: 1 the sum as read ('' for none), 2 the new sum, 3 milliseconds to keep the numbers, then
--       for each process its name and the number of its snapshot as read
-- Returns 1 when replaced, else 0
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
