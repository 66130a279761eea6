-- Add the first entry: the statuses of all nodes, and the attempts of running and retrying ones.
local function begin_events(statuses)
  local claims = {}
  for position in string.gmatch(statuses, '()[rt]') do
    local claim = redis.call('HGET', KEYS.execution, 'n' .. (position - 1)) or '0:0'
    claims[#claims + 1] = (position - 1) .. '=' .. string.match(claim, '^%d+:(%d+)')
  end
  add_event(KEYS.events, 'begun', statuses, 'claims', table.concat(claims, ','))
end
