#!lua flags=allow-oom
-- Hold the next due time of a schedule, which cannot start now, and schedule another look at it.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: triggers, open_schedules, schedules_due
-- ARGV: account_id, trigger, revision, at (due time), look_at (time of that look)
-- Returns 1 | 0 when the trigger has changed, or the due time has its occurrence
-- Uses: schedule_look
local prefix = ARGV.trigger .. '.'
local enabled, revision, due = unpack(redis.call('HMGET', KEYS.triggers, prefix .. 'enabled',
  prefix .. 'revision', prefix .. 'next'))
if enabled ~= '1' then redis.call('ZREM', KEYS.open_schedules, ARGV.trigger) end
if enabled ~= '1' or revision ~= ARGV.revision or due ~= ARGV.at then return 0 end
redis.call('HSET', KEYS.triggers, prefix .. 'held', ARGV.at)
schedule_look(ARGV.account_id, ARGV.trigger, ARGV.look_at)
return 1
