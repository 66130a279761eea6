-- Return whether an execution goes on, so that its nodes may wait: a child ends with its root, its
-- parent and its group, though its own record may follow later.
local function is_waiting(status)
  if status ~= 'processing' then return false end
  if not KEYS.root then return true end
  return redis.call('HGET', KEYS.root, 'status') == 'processing'
    and redis.call('HGET', KEYS.parent, 'status') == 'processing'
    and redis.call('HGET', KEYS.group, 'status') == 'open'
end
