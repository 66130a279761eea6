-- Return whether another walker has moved nodes of a step: settled nodes must be open or run under
-- this fence, retrying and waiting ones must run under it, and claimed ones must be
-- open.
local function step_conflicts(codes, fence)
  local PENDING, RUNNING, RETRYING, WAITING = string.byte('prtw', 1, 4)
  local is_open = {[PENDING] = true, [RETRYING] = true, [WAITING] = true}
  for index in string.gmatch(ARGV.settled, '%d+') do
    local code = codes[index + 1]
    local is_mine = code == RUNNING and claim_of(index)[1] == fence
    if not is_open[code] and not is_mine then return true end
  end
  if ARGV.retrying ~= '' then
    for index in string.gmatch(ARGV.retrying, '(%d+)=') do
      if codes[index + 1] ~= RUNNING or claim_of(index)[1] ~= fence then return true end
    end
  end
  if ARGV.claimed ~= '' then
    for index in string.gmatch(ARGV.claimed, '%d+') do
      if not is_open[codes[index + 1]] then return true end
    end
  end
  return false
end

-- Return the answer to a step whose nodes cannot move so; nothing when they can. Nodes of a child
-- that cost something do not complete after the end of its root, which would have paid for them.
local function refuse_moves(status, statuses, codes, fence, stamp)
  if KEYS.root and ARGV.charges ~= '' then
    -- Uses: is_reservation_open
    if not is_reservation_open() then return {'closed', status, statuses, stamp} end
  end
  if step_conflicts(codes, fence) then
    redis.call('HSET', KEYS.execution, 'step' .. fence, ARGV.step .. ':' .. statuses)
    return {'conflict', status, statuses, stamp}
  end
  if ARGV.end_status ~= 'completed' then return end
  local _, open = string.gsub(statuses, '[prtw]', '')
  local _, settled = string.gsub(ARGV.settled, '%a', '')
  if open ~= settled then return {'behind', status} end
end
