#!lua flags=allow-oom
-- Let other workers begin children of a group again, and schedule the next look at it.
-- KEYS: group, open_children, children_due
-- ARGV: now?, account_id, member (of the open children), token, pause_ms (until that look)
-- Returns 1, or 0 when another worker begins its children
-- Uses: read_now, schedule_group
local now = read_now(ARGV.now)
if redis.call('HGET', KEYS.group, 'feeder') ~= ARGV.token then return 0 end
redis.call('HDEL', KEYS.group, 'feeder', 'feeder_until')
schedule_group(ARGV.account_id, ARGV.member, now + tonumber(ARGV.pause_ms))
return 1
