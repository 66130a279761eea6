-- Return the time in milliseconds at which an execution is due after a walker has left `holders`
-- others: at its first retry, or now without holders or when work is handed over; nil for others to
-- continue.
local function due_after_leaving(execution, status, statuses, manner, holders, now)
  if manner == 'hand over' then return now end
  local retry_at
  -- An execution that is being cancelled does not wait for its retries.
  for position in string.gmatch(status == 'cancel_requested' and '' or statuses, '()t') do
    local claim = redis.call('HGET', execution, 'n' .. (position - 1))
    local at = tonumber(string.match(claim, '^%d+:%d+:(%d+)'))
    retry_at = retry_at and math.min(retry_at, at) or at
  end
  return retry_at or (holders == 0 and now or nil)
end
