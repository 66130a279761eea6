-- Add the first entry: the statuses of all nodes, and the attempts of running, retrying
-- and waiting ones.
local function begin_events(record, stream, statuses)
  local claims = {}
  for position, code in string.gmatch(statuses, '()([rtw])') do
    local claim = redis.call('HGET', record, 'n' .. (position - 1)) or '0:0'
    local attempts = string.match(claim, '^%d+:(%d+)')
    -- The claim of a waiting node does not count the attempt that goes on.
    if code == 'w' then attempts = attempts + 1 end
    claims[#claims + 1] = (position - 1) .. '=' .. attempts
  end
  add_event(record, stream, 'begun', statuses, 'claims', table.concat(claims, ','))
end
