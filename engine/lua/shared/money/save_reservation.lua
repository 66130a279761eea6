local function text_of(credits_by_name)
  local parts = {}
  for name, credits in pairs(credits_by_name) do
    parts[#parts + 1] = name .. '=' .. string.format('%d', credits)
  end
  return table.concat(parts, ',')
end

-- Write what a child has reserved and spent to its own record.
local function save_own_part(reservation)
  local before, own = reservation.before, reservation.own
  own.spent = own.spent + reservation.spent - before.spent
  own.usd = own.usd + reservation.usd - before.usd
  reservation.of_children = reservation.of_children + reservation.running - before.running
  redis.call('HSET', KEYS.execution, 'reserved_by_node', text_of(reservation.by_node),
    'spent', string.format('%d', own.spent), 'usd', string.format('%d', own.usd))
  redis.call('HSET', KEYS.root, 'children_reserved', string.format('%d', reservation.of_children))
  return own.spent
end

-- Write a reservation and its wallet. Returns the credits that the execution has spent.
local function save_reservation(reservation, terms)
  local parts, trials = {}, {}
  for _, part in ipairs(reservation.parts) do
    if part[2] > 0 then parts[#parts + 1] = part[1] .. '=' .. string.format('%d', part[2]) end
  end
  for model in pairs(reservation.trials) do trials[#trials + 1] = model end
  local record = KEYS.root or KEYS.execution
  redis.call('HSET', record, 'reserved', table.concat(parts, ','),
    'trials', table.concat(trials, ','), 'spent', string.format('%d', reservation.spent),
    'usd', string.format('%d', reservation.usd))
  if reservation.captured then
    redis.call('HSET', record, 'captured', text_of(reservation.captured))
  end
  save_wallet(reservation.wallet, terms)
  if KEYS.root then return save_own_part(reservation) end
  redis.call('HSET', KEYS.execution, 'reserved_by_node', text_of(reservation.by_node))
  return reservation.spent
end
