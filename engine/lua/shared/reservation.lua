-- What one execution may spend and has spent; nothing is written before `save_reservation`.
-- On record: `reserve` 'bucket=credits,…' not spent yet, `holds` 'node=credits,…' of the nodes that
-- run, `spent`, `usd` in millionths, `cap`, `trials` of models no node of which has finished.
local function open_reservation(execution, execution_id, wallet)
  local head = redis.call('HMGET', execution, 'reserve', 'holds', 'spent', 'usd', 'cap', 'trials')
  local reservation = {execution = execution, id = execution_id, wallet = wallet, parts = {}, holds = {},
    reserved = 0, held = 0, spent = tonumber(head[3] or '0'), usd = tonumber(head[4] or '0'),
    cap = tonumber(head[5] or 'inf') or math.huge, trials = {}}
  for bucket, credits in string.gmatch(head[1] or '', '([^=,]+)=(%d+)') do
    reservation.parts[#reservation.parts + 1] = {bucket, tonumber(credits)}
    reservation.reserved = reservation.reserved + credits
  end
  for node, credits in string.gmatch(head[2] or '', '(%d+)=(%d+)') do
    reservation.holds[node] = tonumber(credits)
    reservation.held = reservation.held + credits
  end
  for model in string.gmatch(head[6] or '', '[^,]+') do reservation.trials[model] = true end
  return reservation
end

local function release_node(reservation, node)
  reservation.held = reservation.held - (reservation.holds[node] or 0)
  reservation.holds[node] = nil
end

-- Charge a node that has finished; never more than is reserved.
local function capture(reservation, node, credits, usd, model)
  reservation.usd = reservation.usd + usd
  reservation.trials[model] = nil
  local left = math.min(credits, reservation.reserved)
  reservation.spent, reservation.reserved = reservation.spent + left, reservation.reserved - left
  for _, part in ipairs(reservation.parts) do
    local taken = math.min(left, part[2])
    if taken > 0 then
      part[2], left = part[2] - taken, left - taken
      move(reservation.wallet, 'capture', part[1], 0, -taken, 'execution', reservation.id, 'node', node)
    end
  end
end

-- Make sure that a node which is about to run can be paid for.
-- Returns nothing, or why not: 'over' the cap, or 'poor' and what is missing.
local function reserve_node(reservation, node, credits, terms)
  release_node(reservation, node)
  if reservation.spent + reservation.held + credits > reservation.cap then return 'over', 0 end
  local missing = reservation.held + credits - reservation.reserved
  if missing > 0 then
    -- The tier may have changed since the execution was accepted: the wallet knows it as it is now.
    refresh_wallet(reservation.wallet, reservation.wallet.facts.terms or terms)
    if reservation.wallet.balance < missing then return 'poor', missing end
    for _, part in ipairs(reserve(reservation.wallet, missing, 'execution', reservation.id)) do
      reservation.parts[#reservation.parts + 1] = part
    end
    reservation.reserved = reservation.reserved + missing
  end
  reservation.holds[node] = credits
  reservation.held = reservation.held + credits
end

-- The execution has ended: what was not spent goes back to where it came from, unless that has
-- lapsed, and so does the trial of a model no node of which has finished.
local function release(reservation)
  local wallet = reservation.wallet
  for _, part in ipairs(reservation.parts) do
    local bucket, credits = part[1], part[2]
    local is_moved = string.sub(bucket, 1, 1) == 'm' and not wallet.left[bucket]
      and lapses_at(bucket) > wallet.now
    if is_moved then bucket = 'm' .. wallet.facts.ends end -- the tier has changed meanwhile
    if lapses_at(bucket) > wallet.now then
      move(wallet, 'release', bucket, credits, -credits, 'execution', reservation.id)
    else
      move(wallet, 'lapse', bucket, 0, -credits, 'execution', reservation.id)
    end
  end
  for model in pairs(reservation.trials) do
    local used = string.match(wallet.facts['g:' .. model] or '', '^r(%d+)$')
    if used then wallet.facts['g:' .. model] = 'r' .. math.max(0, used - 1) end
  end
  reservation.parts, reservation.holds, reservation.trials = {}, {}, {}
end

local function save_reservation(reservation, terms)
  local parts, holds, trials = {}, {}, {}
  for _, part in ipairs(reservation.parts) do
    if part[2] > 0 then parts[#parts + 1] = part[1] .. '=' .. string.format('%d', part[2]) end
  end
  for node, credits in pairs(reservation.holds) do
    holds[#holds + 1] = node .. '=' .. string.format('%d', credits)
  end
  for model in pairs(reservation.trials) do trials[#trials + 1] = model end
  local execution = reservation.execution
  redis.call('HSET', execution, 'reserve', table.concat(parts, ','),
    'holds', table.concat(holds, ','), 'trials', table.concat(trials, ','),
    'spent', string.format('%d', reservation.spent), 'usd', string.format('%d', reservation.usd))
  save_wallet(reservation.wallet, terms)
end
