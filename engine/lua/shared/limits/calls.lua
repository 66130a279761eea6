-- Calls of a provider. A call's field is 'caller|id', and its value
-- 'account|tokens|number|granted at (0: it waits)|tokens reserved'.
local function enqueue(governor, id, account, tokens)
  local field = ARGV.caller .. '|' .. id
  if redis.call('HEXISTS', KEYS.calls, field) == 1 then return end
  governor.call_count = (governor.call_count or 0) + 1
  local number = string.format('%012d', governor.call_count)
  redis.call('HSET', KEYS.calls, field, account .. '|' .. tokens .. '|' .. number .. '|0|0')
  redis.call('ZADD', KEYS.waiting, 0, account .. '|' .. number .. '|' .. field)
  local used = tonumber(redis.call('ZSCORE', KEYS.shares, account) or 0)
  local share = math.max(used, governor.last_share or 0)
  redis.call('ZADD', KEYS.shares, string.format('%.17g', share), account)
end

-- Remove a waiting or running call. Returns nothing for an unknown one, else its account, its
-- tokens, the time of its permission and the tokens reserved.
local function remove_call(governor, field)
  local account, tokens, number, granted_at, reserved = string.match(
    redis.call('HGET', KEYS.calls, field) or '', '^([^|]*)|(%d+)|(%d+)|(%d+)|(%d+)$')
  if not account then return end
  redis.call('HDEL', KEYS.calls, field)
  redis.call('ZREM', KEYS.waiting, account .. '|' .. number .. '|' .. field)
  redis.call('ZREM', KEYS.running, field)
  redis.call('ZREM', KEYS.granted, field)
  return account, tonumber(tokens), tonumber(granted_at), tonumber(reserved)
end

-- Remove processes with an expired lease, and their running calls; their waiting calls are removed
-- when they would be next.
local function remove_expired_callers(governor)
  local now = string.format('%d', governor.now)
  local expired = redis.call('ZRANGE', KEYS.callers, '-inf', now, 'BYSCORE', 'LIMIT', 0, 10)
  for _, caller in ipairs(expired) do
    local first, last = '[' .. caller .. '|', '(' .. caller .. '}'
    local running = redis.call('ZRANGE', KEYS.running, first, last, 'BYLEX')
    for _, field in ipairs(running) do remove_call(governor, field) end
    redis.call('ZREM', KEYS.callers, caller)
  end
end
