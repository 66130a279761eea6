-- End a call of the governor's caller: update the breaker, the rate and the account's share.
local function end_call(governor, kind, id, account, amount, seen)
  local owner, tokens, granted_at, reserved
  if id ~= '' then
    owner, tokens, granted_at, reserved = remove_call(governor, ARGV.caller .. '|' .. id)
    if not owner or kind == 'left' then return end
  end
  if kind == 'done' then
    governor.succeeded_at = governor.now
    close_breaker(governor, account)
  end
  if kind == 'failed' then trip_breaker(governor, account) end
  if kind == 'refused' then
    lower_rate(governor, granted_at, amount, seen * redis.call('ZCARD', KEYS.callers))
    tokens, amount = 0, 0 -- a refused call used no tokens, which does not predict others
  end
  if owner and kind ~= 'failed' and amount >= 0 then
    correct_pace(governor, tokens, reserved, amount)
    local share = redis.call('ZSCORE', KEYS.shares, owner)
    local more = share_of(governor, amount) - share_of(governor, reserved)
    if share then add_share(governor, owner, tonumber(share), more) end
  end
end
