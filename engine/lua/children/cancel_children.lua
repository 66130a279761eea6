#!lua flags=allow-oom
-- Cancel a group: queued children never begin, and the next look at the group cancels those that
-- run. Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: group, open_children, children_due
-- ARGV: now?, account_id, member (of the open children)
-- Returns the status, or '' without such a group
-- Uses: read_now, schedule_group, cancel_group
local now = read_now(ARGV.now)
local status = redis.call('HGET', KEYS.group, 'status')
if status ~= 'open' then return status or '' end
cancel_group()
schedule_group(ARGV.account_id, ARGV.member, now)
return redis.call('HGET', KEYS.group, 'status')
