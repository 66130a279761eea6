-- Return whether another walker has moved nodes of a step: settled nodes must be open or run under
-- this fence, retrying ones must run under it, and claimed ones must be open.
local function step_conflicts(step, codes, fence, claim_of)
  local PENDING, RUNNING, RETRYING = string.byte('prt', 1, 3)
  for index in string.gmatch(step.settled, '%d+') do
    local code = codes[index + 1]
    local is_mine = code == RUNNING and claim_of(index)[1] == fence
    if code ~= PENDING and code ~= RETRYING and not is_mine then return true end
  end
  if step.retrying ~= '' then
    for index in string.gmatch(step.retrying, '(%d+)=') do
      if codes[index + 1] ~= RUNNING or claim_of(index)[1] ~= fence then return true end
    end
  end
  if step.claimed ~= '' then
    for index in string.gmatch(step.claimed, '%d+') do
      local code = codes[index + 1]
      if code ~= PENDING and code ~= RETRYING then return true end
    end
  end
  return false
end
