#!lua flags=allow-oom
-- End a queued child that cannot become an execution, with its error. Called again, the script
-- changes nothing.
-- KEYS: group, parent, root, due, active, root_events, open_children, children_due
-- ARGV: now?, account_id, parent_id, node (index), child (index), error (packed)
-- Returns {'ok', parent to wake as `wake_parent` returns it, or ''} | {'begun'} or ended before
-- Uses: read_now, settle_child
local now = read_now(ARGV.now)
local field = 's' .. math.floor(ARGV.child / 1000)
local at = ARGV.child % 1000 + 1
local states = redis.call('HGET', KEYS.group, field) or ''
if string.sub(states, at, at) ~= 'q' then return {'begun'} end
local woken = settle_child(now, 'q', ARGV.account_id, ARGV.parent_id, ARGV.node, ARGV.child, '',
  'failed', ARGV.error, false)
return {'ok', woken or ''}
