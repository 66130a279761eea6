-- Move the nodes of a step in `codes`, remove the claims of those that have settled, and write those
-- of nodes that retry.
-- Returns the fields and values of the claims of nodes that run.
local function move_nodes(execution, step, codes, claim_of, fence, now)
  local PENDING, RUNNING, RETRYING = string.byte('prt', 1, 3)
  local was_claimed, fields = {}, {}
  for index, code in string.gmatch(step.settled, '(%d+)(%a)') do
    if codes[index + 1] ~= PENDING then was_claimed[#was_claimed + 1] = 'n' .. index end
    codes[index + 1] = string.byte(code)
  end
  if #was_claimed > 0 then redis.call('HDEL', execution, unpack(was_claimed)) end
  if step.retrying ~= '' then
    for index, delay in string.gmatch(step.retrying, '(%d+)=(%d+)') do
      local claim, at = claim_of(index), string.format('%d', now + tonumber(delay))
      redis.call('HSET', execution, 'n' .. index, '0:' .. claim[2] .. ':' .. at .. ':' .. claim[4])
      codes[index + 1] = RETRYING
    end
  end
  if step.claimed ~= '' then
    local stamp = string.format('%d', now)
    for index in string.gmatch(step.claimed, '%d+') do
      local claim = claim_of(index)
      fields[#fields + 1] = 'n' .. index
      fields[#fields + 1] = fence .. ':' .. (claim[2] + 1) .. ':' .. stamp .. ':' .. claim[4]
      codes[index + 1] = RUNNING
    end
  end
  return fields
end
