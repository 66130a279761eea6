-- Credit reservation of one execution, written by `save_reservation` only. Fields on record:
-- `reserve` 'bucket=credits,…' reserved and unspent, `holds` 'node=credits,…' of the running nodes,
-- `spent`, `usd` in millionths, `cap`, `trials` of models without a completed node. A run of another
-- account's workflow, whose nodes its caller does not see, is charged at its end at once: until then
-- `captured` 'bucket=credits,…' has what its nodes have cost, which stays reserved.
local function open_reservation(execution, execution_id, wallet)
  local head = redis.call('HMGET', execution, 'reserve', 'holds', 'spent', 'usd', 'cap', 'trials',
    'owner', 'captured')
  local reservation = {execution = execution, id = execution_id, wallet = wallet, parts = {},
    by_node = {}, reserved = 0, running = 0, spent = tonumber(head[3] or '0'),
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

local function release_node(reservation, node)
  reservation.running = reservation.running - (reservation.by_node[node] or 0)
  reservation.by_node[node] = nil
end

-- Charge a completed node, at most the reserved credits.
local function capture(reservation, node, credits, usd, model)
  reservation.usd = reservation.usd + usd
  reservation.trials[model] = nil
  local left = math.min(credits, reservation.reserved)
  reservation.spent, reservation.reserved = reservation.spent + left, reservation.reserved - left
  for _, part in ipairs(reservation.parts) do
    local taken = math.min(left, part[2])
    if taken > 0 then
      part[2], left = part[2] - taken, left - taken
      local captured, bucket = reservation.captured, part[1]
      if captured then
        captured[bucket] = (captured[bucket] or 0) + taken
      else
        move(reservation.wallet, 'capture', bucket, 0, -taken, 'execution', reservation.id,
          'node', node)
      end
    end
  end
end

-- Reserve the credits of a node that is about to run.
-- Returns nothing, or the refusal: 'over' the cap, or 'insufficient' and the missing credits.
local function reserve_node(reservation, node, credits, terms)
  release_node(reservation, node)
  if reservation.spent + reservation.running + credits > reservation.cap then return 'over', 0 end
  local missing = reservation.running + credits - reservation.reserved
  if missing > 0 then
    -- The tier may have changed since the acceptance: the wallet has its current terms.
    refresh_wallet(reservation.wallet, reservation.wallet.facts.terms or terms)
    if reservation.wallet.balance < missing then return 'insufficient', missing end
    for _, part in ipairs(reserve(reservation.wallet, missing, 'execution', reservation.id)) do
      reservation.parts[#reservation.parts + 1] = part
    end
    reservation.reserved = reservation.reserved + missing
  end
  reservation.by_node[node] = credits
  reservation.running = reservation.running + credits
end

local function text_of(credits_by_name)
  local parts = {}
  for name, credits in pairs(credits_by_name) do
    parts[#parts + 1] = name .. '=' .. string.format('%d', credits)
  end
  return table.concat(parts, ',')
end

-- Release the unspent credits of an ended execution to their buckets, unless those have lapsed, and
-- the trials of models without a completed node.
local function release(reservation)
  local wallet = reservation.wallet
  for bucket, credits in pairs(reservation.captured or {}) do
    move(wallet, 'capture', bucket, 0, -credits, 'execution', reservation.id)
    reservation.captured[bucket] = nil
  end
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
  reservation.parts, reservation.by_node, reservation.trials = {}, {}, {}
end

local function save_reservation(reservation, terms)
  local parts, trials = {}, {}
  for _, part in ipairs(reservation.parts) do
    if part[2] > 0 then parts[#parts + 1] = part[1] .. '=' .. string.format('%d', part[2]) end
  end
  for model in pairs(reservation.trials) do trials[#trials + 1] = model end
  local execution = reservation.execution
  redis.call('HSET', execution, 'reserve', table.concat(parts, ','),
    'holds', text_of(reservation.by_node), 'trials', table.concat(trials, ','),
    'spent', string.format('%d', reservation.spent), 'usd', string.format('%d', reservation.usd))
  if reservation.captured then
    redis.call('HSET', execution, 'captured', text_of(reservation.captured))
  end
  save_wallet(reservation.wallet, terms)
end
