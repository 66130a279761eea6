#!lua flags=allow-oom
-- Delete a trigger with its occurrences that are not in the history yet. Its executions stay.
-- Called again, the script changes nothing.
-- KEYS: triggers, audit, open_schedules, hooks, event_bodies, event_times,
--       occurrences... (keys with them)
-- ARGV: now?, id, act*6
-- Returns 1 | 0 without such a trigger
-- Uses: read_now, add_audit, trigger_fields
local now = read_now(ARGV.now)
local id = ARGV.id
local hook = redis.call('HGET', KEYS.triggers, id .. '.hook')
if redis.call('HDEL', KEYS.triggers, unpack(trigger_names(id))) == 0 then return 0 end
if hook then redis.call('HDEL', KEYS.hooks, hook) end
redis.call('ZREM', KEYS.open_schedules, id)
for place = FIRST.occurrences, LAST.occurrences do redis.call('UNLINK', KEYS[place]) end
for _, member in ipairs(redis.call('ZRANGE', KEYS.event_times, 0, -1)) do
  if string.sub(member, 1, #id + 1) == id .. '/' then
    redis.call('ZREM', KEYS.event_times, member)
    redis.call('HDEL', KEYS.event_bodies, member)
  end
end
add_audit(now)
return 1
