-- Queue of a provider's calls. A call's field is 'caller|id', and its value
-- 'account|tokens|number|granted at (0: it waits)|tokens reserved'. Accounts with waiting calls are
-- in a sorted set by their used share of the provider.
local function enqueue(governor, id, account, tokens)
  local keys, field = governor.keys, governor.caller .. '|' .. id
  if redis.call('HEXISTS', keys.calls, field) == 1 then return end
  governor.count = (governor.count or 0) + 1
  local number = string.format('%012d', governor.count)
  redis.call('HSET', keys.calls, field, account .. '|' .. tokens .. '|' .. number .. '|0|0')
  redis.call('ZADD', keys.waiting, 0, account .. '|' .. number .. '|' .. field)
  local used = tonumber(redis.call('ZSCORE', keys.ring, account) or 0)
  local share = math.max(used, governor.served or 0)
  redis.call('ZADD', keys.ring, string.format('%.17g', share), account)
end

-- Remove a waiting or running call. Returns nothing for an unknown one, else its account, its
-- tokens, the time of its permission and the tokens reserved.
local function remove_call(governor, field)
  local keys = governor.keys
  local account, tokens, number, granted_at, reserved = string.match(
    redis.call('HGET', keys.calls, field) or '', '^([^|]*)|(%d+)|(%d+)|(%d+)|(%d+)$')
  if not account then return end
  redis.call('HDEL', keys.calls, field)
  redis.call('ZREM', keys.waiting, account .. '|' .. number .. '|' .. field)
  redis.call('ZREM', keys.running, field)
  redis.call('ZREM', keys.granted, field)
  return account, tonumber(tokens), tonumber(granted_at), tonumber(reserved)
end

-- Remove processes with an expired lease, and their running calls; their waiting calls are removed
-- when they would be next.
local function remove_expired_callers(governor)
  local keys = governor.keys
  local now = string.format('%d', governor.now)
  local expired = redis.call('ZRANGE', keys.callers, '-inf', now, 'BYSCORE', 'LIMIT', 0, 10)
  for _, caller in ipairs(expired) do
    local first, last = '[' .. caller .. '|', '(' .. caller .. '}'
    local running = redis.call('ZRANGE', keys.running, first, last, 'BYLEX')
    for _, field in ipairs(running) do remove_call(governor, field) end
    redis.call('ZREM', keys.callers, caller)
  end
end

-- Return the first call of the account with the least share; nothing when no call may begin.
local function next_call(governor)
  local keys, position = governor.keys, 0
  while not is_blocked(governor, '*') do
    local account, share = unpack(redis.call('ZRANGE', keys.ring, position, position, 'WITHSCORES'))
    if not account then return end
    local name = redis.call('ZRANGE', keys.waiting, '[' .. account .. '|', '(' .. account .. '}',
      'BYLEX', 'LIMIT', 0, 1)[1]
    if not name then
      redis.call('ZREM', keys.ring, account)
    elseif is_blocked(governor, account) then
      position = position + 1
    else
      local field, caller = string.match(name, '^[^|]*|%d+|(([^|]+)|.+)$')
      if redis.call('ZSCORE', keys.callers, caller) then
        return {field = field, caller = caller, account = account, share = tonumber(share)}
      end
      remove_call(governor, field)
    end
  end
end

-- Return the share of a minute that a call uses, of the scarcer of calls and tokens.
local function share_of(governor, tokens)
  return math.max(1 / (governor.requests or 1000), tokens / (governor.tokens or math.huge))
end

local function add_share(governor, account, used, taken)
  local keys = governor.keys
  redis.call('ZADD', keys.ring, string.format('%.17g', used + taken), account)
end

local function permit_call(governor, call)
  local keys = governor.keys
  local record = redis.call('HGET', keys.calls, call.field)
  local tokens, number = string.match(record, '^[^|]*|(%d+)|(%d+)|')
  local reserved = expect_tokens(governor, tonumber(tokens))
  use_pace(governor, reserved)
  add_share(governor, call.account, call.share, share_of(governor, reserved))
  governor.served = call.share
  if governor.open and is_blamed(governor, call.account) then governor.probe = call.field end
  redis.call('ZREM', keys.waiting, call.account .. '|' .. number .. '|' .. call.field)
  redis.call('ZADD', keys.running, 0, call.field)
  redis.call('ZADD', keys.granted, 0, call.field)
  redis.call('HSET', keys.calls, call.field, string.format('%s|%s|%s|%d|%d', call.account, tokens,
    number, governor.now, reserved))
end
