-- End all waits of an execution that ends; nobody can answer any more. Its idempotency key is known
-- for another day.
local DAY_MS = 86400000
local function close_waits(now)
  -- Uses: only_waiting
  end_only_waiting(KEYS.execution, now)
  local open = redis.call('HGET', KEYS.execution, 'waits')
  for node in string.gmatch(open, '(%d+):%a:') do
    local name = ARGV.execution_id .. '/' .. node
    redis.call('ZREM', KEYS.approvals, name)
    redis.call('ZREM', KEYS.child_waits, name)
  end
  redis.call('HSET', KEYS.execution, 'waits', ',')
  redis.call('HDEL', KEYS.waits, ARGV.execution_id)
  if KEYS.root then return end
  redis.call('SREM', KEYS.waited, ARGV.execution_id)
  redis.call('UNLINK', KEYS.child_waits)
  if KEYS.first_call then redis.call('PEXPIRE', KEYS.first_call, DAY_MS) end
end
