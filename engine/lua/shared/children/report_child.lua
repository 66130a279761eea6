-- Report the end of a child to its root and its group. Returns like `wake_parent`.
local function report_child(now, status, error)
  -- Uses: count_running, settle_child
  local parent, node, index = unpack(redis.call('HMGET', KEYS.execution, 'parent', 'parent_node',
    'child'))
  local bytes, ends_root, result = string.match(ARGV.child_end, '^(%d+):([01]):(.*)$')
  count_running(false)
  if tonumber(bytes or '0') > 0 and redis.call('EXISTS', KEYS.root) == 1 then
    redis.call('HINCRBY', KEYS.root, 'child_bytes', bytes)
  end
  return settle_child(now, 'p', string.match(ARGV.reference, '^[^/]+'), parent, node, index,
    ARGV.execution_id, status, status == 'completed' and (result or '') or error, ends_root == '1')
end
