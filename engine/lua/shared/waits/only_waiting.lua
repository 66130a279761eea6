-- Executions that do nothing but wait, which `only_waits` on their records says: they are not among
-- the active ones of their account, and among the items of their batch they count as waiting. For a
-- run that counts for a canary it is the time since when, and `waited_ms` sums these times up.
local function count_waiting_item(record, change)
  local batch = redis.call('HGET', record, 'batch')
  if not batch then return end
  redis.call('HINCRBY', KEYS.waiting_items, 'all', change)
  if redis.call('HINCRBY', KEYS.waiting_items, batch, change) <= 0 then
    redis.call('HDEL', KEYS.waiting_items, batch)
  end
end

local function end_only_waiting(record, now)
  local since = redis.call('HGET', record, 'only_waits')
  if not since then return end
  redis.call('HDEL', record, 'only_waits')
  if since ~= '1' then redis.call('HINCRBY', record, 'waited_ms', math.max(0, now - since)) end
  redis.call('SADD', KEYS.active, string.match(record, '[^:]+$'))
  count_waiting_item(record, -1)
end
