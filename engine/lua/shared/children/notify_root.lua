-- Notify the watchers of the root, if there are any, that a child has begun or ended. Children of
-- another account's workflow have no watchers.
local function notify_root(change, id, parent, index, status)
  local events, owner, statuses = unpack(redis.call('HMGET', KEYS.root, 'events', 'owner',
    'statuses'))
  if not events or owner then return end
  -- Uses: add_event, begin_events, notify_watchers
  if events == '0' then begin_events(KEYS.root, KEYS.root_events, statuses) end
  local node, root = unpack(redis.call('HMGET', KEYS.group, 'node', 'root'))
  add_event(KEYS.root, KEYS.root_events, 'child', change, 'id', id, 'parent', parent, 'node', node,
    'index', index, 'status', status)
  notify_watchers(KEYS.root, root)
end
