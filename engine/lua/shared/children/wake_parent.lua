-- Wake the parent of a child: its node need not wait any more. The field `woken` of its record has
-- the nodes, each between commas, for one that does not wait yet.
-- Returns nothing, or for a parent that waits its id, a colon and the account's active executions.
local function wake_parent(now, account, parent, node)
  local status, statuses, woken = unpack(redis.call('HMGET', KEYS.parent, 'status', 'statuses',
    'woken'))
  if status ~= 'processing' and status ~= 'cancel_requested' then return end
  redis.call('HSET', KEYS.parent, 'woken', (woken or ',') .. node .. ',')
  if string.sub(statuses, node + 1, node + 1) ~= 'w' then return end
  local stamp, field = string.format('%d', now), 'n' .. node
  local claim = redis.call('HGET', KEYS.parent, field) or '0:0:0:0'
  local attempts, lost = string.match(claim, '^%d+:(%d+):%d+:(%d+)$')
  redis.call('HSET', KEYS.parent, field, '0:' .. attempts .. ':' .. stamp .. ':' .. lost)
  redis.call('ZADD', KEYS.due, stamp, account .. '/' .. parent)
  return parent .. ':' .. redis.call('SCARD', KEYS.active)
end
