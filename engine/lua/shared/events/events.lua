-- Add the first entry: the statuses of all nodes, and the attempts of running and retrying ones.
local function begin_events(keys, execution, statuses)
  local claims = {}
  for position in string.gmatch(statuses, '()[rt]') do
    local claim = redis.call('HGET', execution, 'n' .. (position - 1)) or '0:0'
    claims[#claims + 1] = (position - 1) .. '=' .. string.match(claim, '^%d+:(%d+)')
  end
  add_event(keys, execution, 'begun', statuses, 'claims', table.concat(claims, ','))
end

-- Add the entry of a step before it takes effect: each settled node with its code and the one
-- before, each retrying node with the failed attempt and the pause, each claimed node with its
-- attempt.
local function step_events(keys, execution, step, codes, claim_of)
  local settled = string.gsub(step.settled, '(%d+)(%a)', function(index, code)
    return index .. code .. string.char(codes[index + 1])
  end)
  local retrying = string.gsub(step.retrying, '(%d+)=', function(index)
    return index .. '=' .. claim_of(index)[2] .. ':'
  end)
  local claimed = string.gsub(step.claimed, '%d+', function(index)
    return index .. '=' .. (claim_of(index)[2] + 1)
  end)
  if settled .. retrying .. claimed == '' then return end
  add_event(keys, execution, 'settled', settled, 'retrying', retrying, 'claimed', claimed,
    'rows', step.rows)
end
