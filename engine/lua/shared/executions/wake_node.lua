-- Wake a node of an execution: it need not wait any more. The field `woken` of the record has such
-- nodes, each between commas, for one that does not wait yet.
-- Returns whether the node waits, which is due now then.
local function wake_node(now, record, reference, node)
  local statuses, woken = unpack(redis.call('HMGET', record, 'statuses', 'woken'))
  redis.call('HSET', record, 'woken', (woken or ',') .. node .. ',')
  if string.sub(statuses, node + 1, node + 1) ~= 'w' then return false end
  local stamp, field = string.format('%d', now), 'n' .. node
  local claim = redis.call('HGET', record, field) or '0:0:0:0'
  local attempts, lost = string.match(claim, '^%d+:(%d+):%d+:(%d+)$')
  redis.call('HSET', record, field, '0:' .. attempts .. ':' .. stamp .. ':' .. lost)
  redis.call('ZADD', KEYS.due, stamp, reference)
  return true
end
