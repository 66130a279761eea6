-- The first entry: how far the execution has come, and the attempts of what is under way.
local function begin_events(keys, execution, statuses)
  local claims = {}
  for position in string.gmatch(statuses, '()[rt]') do
    local claim = redis.call('HGET', execution, 'n' .. (position - 1)) or '0:0'
    claims[#claims + 1] = (position - 1) .. '=' .. string.match(claim, '^%d+:(%d+)')
  end
  add_event(keys, execution, 'begun', statuses, 'claims', table.concat(claims, ','))
end

-- What a step does to nodes, told before it is done: each that settles with its code and that before,
-- each that waits with the attempt that failed and the pause, each that runs with its attempt.
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
