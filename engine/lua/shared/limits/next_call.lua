-- Fairness between accounts: those with waiting calls are in a sorted set by their used share of
-- the provider, and the account with the least share is next.

-- Return the share of a minute that a call uses, of the scarcer of calls and tokens.
local function share_of(governor, tokens)
  return math.max(1 / (governor.requests or 1000), tokens / (governor.tokens or math.huge))
end

local function add_share(governor, account, used, taken)
  redis.call('ZADD', KEYS.shares, string.format('%.17g', used + taken), account)
end

-- Return the first call of the account with the least share; nothing when no call may begin.
local function next_call(governor)
  local position = 0
  while not is_blocked(governor, '*') do
    local account, share = unpack(
      redis.call('ZRANGE', KEYS.shares, position, position, 'WITHSCORES'))
    if not account then return end
    local name = redis.call('ZRANGE', KEYS.waiting, '[' .. account .. '|', '(' .. account .. '}',
      'BYLEX', 'LIMIT', 0, 1)[1]
    if not name then
      redis.call('ZREM', KEYS.shares, account)
    elseif is_blocked(governor, account) then
      position = position + 1
    else
      local field, caller = string.match(name, '^[^|]*|%d+|(([^|]+)|.+)$')
      if redis.call('ZSCORE', KEYS.callers, caller) then
        return {field = field, caller = caller, account = account, share = tonumber(share)}
      end
      remove_call(governor, field)
    end
  end
end
