-- When an execution is due again that a walker leaves with so many other holders, in milliseconds: at
-- its first retry, or at once when nobody is left or work is handed over. nil: the others see to it.
local function due_after_leaving(execution, status, statuses, manner, holders, now)
  if manner == 'hand over' then return now end
  local retry_at
  -- An execution that is to be cancelled need not wait for its retries.
  for position in string.gmatch(status == 'cancel_requested' and '' or statuses, '()t') do
    local claim = redis.call('HGET', execution, 'n' .. (position - 1))
    local at = tonumber(string.match(claim, '^%d+:%d+:(%d+)'))
    retry_at = retry_at and math.min(retry_at, at) or at
  end
  return retry_at or (holders == 0 and now or nil)
end
