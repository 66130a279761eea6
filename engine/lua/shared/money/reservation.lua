-- Credit reservation of one execution, written by `save_reservation` only. Fields on record:
-- `reserved` 'bucket=credits,…' not yet spent, `reserved_by_node` 'node=credits,…' of running
-- nodes, `spent`, `usd` in millionths, `cap`, `trials` of models without a completed node. A run of
-- another account's workflow, whose nodes its caller does not see, is charged at its end at once:
-- until then `captured` 'bucket=credits,…' has what its nodes have cost, which stays reserved.
local function open_reservation(wallet)
  local head = redis.call('HMGET', KEYS.execution, 'reserved', 'reserved_by_node', 'spent', 'usd',
    'cap', 'trials', 'owner', 'captured')
  local reservation = {wallet = wallet, parts = {}, by_node = {}, reserved = 0,
    running = 0, spent = tonumber(head[3] or '0'),
    usd = tonumber(head[4] or '0'), cap = tonumber(head[5] or 'inf') or math.huge, trials = {}}
  for bucket, credits in string.gmatch(head[1] or '', '([^=,]+)=(%d+)') do
    reservation.parts[#reservation.parts + 1] = {bucket, tonumber(credits)}
    reservation.reserved = reservation.reserved + credits
  end
  for node, credits in string.gmatch(head[2] or '', '(%d+)=(%d+)') do
    reservation.by_node[node] = tonumber(credits)
    reservation.running = reservation.running + credits
  end
  for model in string.gmatch(head[6] or '', '[^,]+') do reservation.trials[model] = true end
  if head[7] then
    reservation.captured = {}
    for bucket, credits in string.gmatch(head[8] or '', '([^=,]+)=(%d+)') do
      reservation.captured[bucket] = tonumber(credits)
    end
  end
  return reservation
end

local function text_of(credits_by_name)
  local parts = {}
  for name, credits in pairs(credits_by_name) do
    parts[#parts + 1] = name .. '=' .. string.format('%d', credits)
  end
  return table.concat(parts, ',')
end

local function save_reservation(reservation, terms)
  local parts, trials = {}, {}
  for _, part in ipairs(reservation.parts) do
    if part[2] > 0 then parts[#parts + 1] = part[1] .. '=' .. string.format('%d', part[2]) end
  end
  for model in pairs(reservation.trials) do trials[#trials + 1] = model end
  redis.call('HSET', KEYS.execution, 'reserved', table.concat(parts, ','),
    'reserved_by_node', text_of(reservation.by_node), 'trials', table.concat(trials, ','),
    'spent', string.format('%d', reservation.spent), 'usd', string.format('%d', reservation.usd))
  if reservation.captured then
    redis.call('HSET', KEYS.execution, 'captured', text_of(reservation.captured))
  end
  save_wallet(reservation.wallet, terms)
end
