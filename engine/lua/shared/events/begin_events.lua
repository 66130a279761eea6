-- Add the first entry: the statuses of all nodes, the attempts of running, retrying and waiting
-- ones, and the facts of the waits that are open.
local function begin_events(record, stream, statuses)
  local claims, facts = {}, {}
  for position, code in string.gmatch(statuses, '()([rtw])') do
    local claim = redis.call('HGET', record, 'n' .. (position - 1)) or '0:0'
    local attempts = string.match(claim, '^%d+:(%d+)')
    -- The claim of a waiting node does not count the attempt that goes on.
    if code == 'w' then attempts = attempts + 1 end
    claims[#claims + 1] = (position - 1) .. '=' .. attempts
  end
  for index in string.gmatch(redis.call('HGET', record, 'waits') or '', ',(%d+):') do
    local wait = redis.call('HGET', record, 'q' .. index)
    if wait then facts[#facts + 1] = index .. '=' .. string.match(wait, '^[^\n]*') end
  end
  add_event(record, stream, 'begun', statuses, 'claims', table.concat(claims, ','),
    'waits', table.concat(facts, ','))
end
