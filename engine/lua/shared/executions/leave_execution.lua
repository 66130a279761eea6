-- Return the time in milliseconds at which an execution is due after a walker has left `holders`
-- others: at its first retry or the first end of a wait, or now without holders or when the walker
-- shares work; nil for others to continue.
local function due_after_leaving(status, statuses, holders, now)
  if ARGV.shares_work == '1' then return now end
  local retry_at
  -- An execution that is being cancelled does not wait for its retries.
  for position in string.gmatch(status == 'cancel_requested' and '' or statuses, '()[tw]') do
    local claim = redis.call('HGET', KEYS.execution, 'n' .. (position - 1))
    local at = tonumber(string.match(claim, '^%d+:%d+:(%d+)'))
    retry_at = retry_at and math.min(retry_at, at) or at
  end
  return retry_at or (holders == 0 and now or nil)
end

-- Take a walker from an execution and schedule the next one, if any is needed.
-- Returns the number of walkers that are left.
local function leave_execution(status, statuses, holders, now)
  redis.call('HDEL', KEYS.held, ARGV.reference)
  local due = due_after_leaving(status, statuses, holders - 1, now)
  if due then redis.call('ZADD', KEYS.due, string.format('%d', due), ARGV.reference) end
  return holders - 1
end
