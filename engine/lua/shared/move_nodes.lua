-- Move the nodes of a step in `codes`, and write the claims of those that retry or run.
local function move_nodes(execution, step, codes, claim_of, fence, now)
  local PENDING, RUNNING, RETRYING = string.byte('prt', 1, 3)
  local was_claimed = {}
  for index, code in string.gmatch(step.settled, '(%d+)(%a)') do
    if codes[index + 1] ~= PENDING then was_claimed[#was_claimed + 1] = 'n' .. index end
    codes[index + 1] = string.byte(code)
  end
  if #was_claimed > 0 then redis.call('HDEL', execution, unpack(was_claimed)) end
  for index, delay in string.gmatch(step.retrying, '(%d+)=(%d+)') do
    local claim, at = claim_of(index), string.format('%d', now + tonumber(delay))
    redis.call('HSET', execution, 'n' .. index, '0:' .. claim[2] .. ':' .. at .. ':' .. claim[4])
    codes[index + 1] = RETRYING
  end
  for index in string.gmatch(step.claimed, '%d+') do
    local claim, at = claim_of(index), string.format('%d', now)
    redis.call('HSET', execution, 'n' .. index,
      fence .. ':' .. (claim[2] + 1) .. ':' .. at .. ':' .. claim[4])
    codes[index + 1] = RUNNING
  end
end
