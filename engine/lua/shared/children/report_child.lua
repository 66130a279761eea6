-- Report the end of a child to its root and its group. Returns like `wake_parent`.
-- `inner_spent` on a record has the credits that its children have spent, and theirs: a group that
-- grows gets the cost and the duration of each child with it.
local function report_child(now, status, error)
  -- Uses: count_running, settle_child
  local parent, node, index, spent, inner, created = unpack(redis.call('HMGET', KEYS.execution,
    'parent', 'parent_node', 'child', 'spent', 'inner_spent', 'created'))
  local cost = tonumber(spent or '0') + tonumber(inner or '0')
  if cost > 0 and redis.call('EXISTS', KEYS.parent) == 1 then
    redis.call('HINCRBY', KEYS.parent, 'inner_spent', cost)
  end
  if redis.call('HGET', KEYS.group, 'grows') then
    redis.call('HSET', KEYS.group, 'm' .. index, string.format('%d:%d', cost, now - created))
  end
  local bytes, ends_root, result = string.match(ARGV.child_end, '^(%d+):([01]):(.*)$')
  count_running(false, now)
  if tonumber(bytes or '0') > 0 and redis.call('EXISTS', KEYS.root) == 1 then
    redis.call('HINCRBY', KEYS.root, 'child_bytes', bytes)
  end
  return settle_child(now, 'p', string.match(ARGV.reference, '^[^/]+'), parent, node, index,
    ARGV.execution_id, status, status == 'completed' and (result or '') or error, ends_root == '1')
end
