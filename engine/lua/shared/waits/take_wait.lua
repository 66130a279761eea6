-- Take the wait of a node out of the lists of open ones. `open` is the field `waits` of the record.
local function take_wait(open, node)
  local name = ARGV.execution_id .. '/' .. node
  local left = string.gsub(open, ',' .. node .. ':[^,]*', '', 1)
  redis.call('HSET', KEYS.execution, 'waits', left)
  redis.call('ZREM', KEYS.approvals, name)
  if KEYS.child_waits then redis.call('ZREM', KEYS.child_waits, name) end
  if left == ',' then
    redis.call('HDEL', KEYS.waits, ARGV.execution_id)
  else
    redis.call('HINCRBY', KEYS.waits, ARGV.execution_id, -1)
  end
end
