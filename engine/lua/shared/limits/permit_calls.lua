-- Permit a waiting call, and reserve its tokens and its account's share.
local function permit_call(governor, call)
  local record = redis.call('HGET', KEYS.calls, call.field)
  local tokens, number = string.match(record, '^[^|]*|(%d+)|(%d+)|')
  local reserved = expect_tokens(governor, tonumber(tokens))
  use_pace(governor, reserved)
  add_share(governor, call.account, call.share, share_of(governor, reserved))
  governor.last_share = call.share
  if governor.open_until and is_failing(governor, call.account) then
    governor.probing_call = call.field
  end
  redis.call('ZREM', KEYS.waiting, call.account .. '|' .. number .. '|' .. call.field)
  redis.call('ZADD', KEYS.running, 0, call.field)
  redis.call('ZADD', KEYS.granted, 0, call.field)
  redis.call('HSET', KEYS.calls, call.field, string.format('%s|%s|%s|%d|%d', call.account, tokens,
    number, governor.now, reserved))
end

-- Permit waiting calls while the limits allow, and notify their processes.
-- Returns the milliseconds until the next useful turn; nothing when no call waits.
local function permit_calls(governor)
  local now, notified, call = governor.now, {}, next_call(governor)
  local free = (governor.concurrency or math.huge) - redis.call('ZCARD', KEYS.running)
  while call and free > 0 and ready_at(governor) <= now do
    permit_call(governor, call)
    notified[call.caller] = call.caller ~= ARGV.caller or nil
    free = free - 1
    call = next_call(governor)
  end
  for other in pairs(notified) do redis.call('PUBLISH', other, ARGV.provider) end
  if not call then return redis.call('ZCARD', KEYS.waiting) > 0 and 1000 or nil end
  if free <= 0 then return 1000 end
  local due = math.ceil(math.max(ready_at(governor) - now, 1))
  -- The process of the next call is notified in time; the others verify that it was.
  return call.caller == ARGV.caller and due or due + 50
end
