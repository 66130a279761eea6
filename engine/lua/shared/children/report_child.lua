-- Record the end of a child in its group, with its plain result or its error, count it at its root,
-- and wake its parent when nothing is left, or when the failure decides the end of the node.
-- Returns like `wake_parent`.
local function report_child(now, status, error)
  -- Uses: count_running, tell_root, group_states, cancel_group, schedule_group, wake_parent
  local CODES = {completed = 'c', failed = 'f', cancelled = 'x'}
  local parent, node, index = unpack(redis.call('HMGET', KEYS.execution, 'parent', 'parent_node',
    'child'))
  local bytes, ends_root, result = string.match(ARGV.child_end, '^(%d+):([01]):(.*)$')
  count_running(false)
  if tonumber(bytes or '0') > 0 and redis.call('EXISTS', KEYS.root) == 1 then
    redis.call('HINCRBY', KEYS.root, 'child_bytes', bytes)
  end
  local group_status, queued, running, on_error = unpack(redis.call('HMGET', KEYS.group, 'status',
    'queued', 'running', 'on_error'))
  if not group_status or state_of(index) ~= 'p' then return end

  set_state(index, CODES[status])
  save_states_of_group()
  if status == 'completed' then redis.call('HSET', KEYS.group, 'r' .. index, result or '') end
  if status == 'failed' then redis.call('HSET', KEYS.group, 'e' .. index, error) end
  redis.call('HINCRBY', KEYS.group, 'running', -1)
  tell_root('finished', ARGV.execution_id, parent, index, status)
  local decides = status == 'failed' and (on_error == 'fail' or ends_root == '1')
  local account, member = string.match(ARGV.reference, '^[^/]+'), parent .. '/' .. node
  if decides and group_status == 'open' then
    redis.call('HSET', KEYS.group, 'failed', index)
    cancel_group()
    schedule_group(account, member, now)
    return wake_parent(now, parent, node)
  end
  if tonumber(queued) > 0 or tonumber(running) > 1 then return end
  redis.call('HSET', KEYS.group, 'status', 'done')
  redis.call('ZREM', KEYS.open_children, member)
  if not redis.call('HGET', KEYS.group, 'failed') then return wake_parent(now, parent, node) end
end
