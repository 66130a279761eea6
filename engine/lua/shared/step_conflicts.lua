-- Return whether another walker has moved nodes of a step: settled nodes must be open or run under
-- this fence, retrying ones must run under it, and claimed ones must be open.
local function step_conflicts(step, codes, fence, claim_of)
  local PENDING, RUNNING, RETRYING = string.byte('prt', 1, 3)
  local function is_open(index)
    local code = codes[index + 1]
    return code == PENDING or code == RETRYING
  end
  local function is_mine(index)
    return codes[index + 1] == RUNNING and claim_of(index)[1] == fence
  end
  for index in string.gmatch(step.settled, '(%d+)%a') do
    if not is_open(index) and not is_mine(index) then return true end
  end
  for index in string.gmatch(step.retrying, '(%d+)=') do
    if not is_mine(index) then return true end
  end
  for index in string.gmatch(step.claimed, '%d+') do
    if not is_open(index) then return true end
  end
  return false
end
