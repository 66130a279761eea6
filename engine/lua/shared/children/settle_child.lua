-- Record the end of a child in its group, with its plain result or its error, and wake its parent
-- when nothing is left, or when the failure decides the end of the node. `from` is its state
-- before: 'p' while it runs, 'q' for one that cannot begin.
-- Returns like `wake_parent`, and nothing for a child in another state.
local function settle_child(now, from, account, parent, node, index, id, status, value, ends_root)
  -- Uses: group_states
  local CODES = {completed = 'c', failed = 'f', cancelled = 'x'}
  local group_status, queued, running, on_error = unpack(redis.call('HMGET', KEYS.group, 'status',
    'queued', 'running', 'on_error'))
  if not group_status or state_of(index) ~= from then return end
  -- Uses: notify_root, cancel_group, schedule_group, wake_parent
  set_state(index, CODES[status])
  save_states_of_group()
  if status == 'completed' then redis.call('HSET', KEYS.group, 'r' .. index, value) end
  if status == 'failed' then redis.call('HSET', KEYS.group, 'e' .. index, value) end
  redis.call('HINCRBY', KEYS.group, from == 'q' and 'queued' or 'running', -1)
  notify_root('finished', id, parent, index, status)
  local decides = status == 'failed' and (on_error == 'fail' or ends_root)
  if decides and group_status == 'open' then
    redis.call('HSET', KEYS.group, 'failed', index)
    cancel_group()
    schedule_group(account, parent .. '/' .. node, now)
    return wake_parent(now, account, parent, node)
  end
  if tonumber(queued) + tonumber(running) > 1 then
    -- The next look may be far away, as that of a group which waits.
    local is_late = from == 'p' and tonumber(queued) > 0 and redis.call('HGET', KEYS.root, 'waited')
    if is_late then schedule_group(account, parent .. '/' .. node, now) end
    return
  end
  redis.call('HSET', KEYS.group, 'status', 'done')
  redis.call('ZREM', KEYS.open_children, parent .. '/' .. node)
  if not redis.call('HGET', KEYS.group, 'failed') then
    return wake_parent(now, account, parent, node)
  end
end
