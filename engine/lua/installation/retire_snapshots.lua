#!lua flags=allow-oom
-- Replace the snapshots of ended processes by one sum, and record each process's snapshot in it.
-- Refused when another caller has done it, or a process has written again.
-- KEYS: snapshots, folded... (for each process the number of its snapshot in the sum)
-- ARGV: sum? (as read; absent: none), new_sum, folded_ms (to keep `folded`), processes... (name and
--       number of the snapshot as read)
-- Returns 1 when replaced, else 0
local before = redis.call('HGET', KEYS.snapshots, 'retired') or ''
if before ~= ARGV.sum or LAST.folded < FIRST.folded then return 0 end
for position = FIRST.processes, LAST.processes, 2 do
  local snapshot = redis.call('HGET', KEYS.snapshots, ARGV[position])
  local number = snapshot and (string.match(snapshot, '^%d+|(%d+)|') or '0')
  if number ~= ARGV[position + 1] then return 0 end
end
redis.call('HSET', KEYS.snapshots, 'retired', ARGV.new_sum)
for position = FIRST.processes, LAST.processes, 2 do
  redis.call('HDEL', KEYS.snapshots, ARGV[position])
end
for place = FIRST.folded, LAST.folded do
  local number = ARGV[FIRST.processes + 2 * (place - FIRST.folded) + 1]
  redis.call('SET', KEYS[place], number, 'PX', ARGV.folded_ms)
end
return 1
