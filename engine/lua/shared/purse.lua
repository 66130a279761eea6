-- What one execution may spend and has spent; nothing is written before `save_purse`.
-- On record: `reserve` 'bucket=credits,…' not spent yet, `holds` 'node=credits,…' of the nodes that
-- run, `spent`, `usd` in millionths, `cap`, `trials` of models no node of which has finished.
local function open_purse(execution, execution_id, wallet)
  local head = redis.call('HMGET', execution, 'reserve', 'holds', 'spent', 'usd', 'cap', 'trials')
  local purse = {execution = execution, id = execution_id, wallet = wallet, parts = {}, holds = {},
    reserved = 0, held = 0, spent = tonumber(head[3] or '0'), usd = tonumber(head[4] or '0'),
    cap = tonumber(head[5] or 'inf') or math.huge, trials = {}}
  for bucket, credits in string.gmatch(head[1] or '', '([^=,]+)=(%d+)') do
    purse.parts[#purse.parts + 1] = {bucket, tonumber(credits)}
    purse.reserved = purse.reserved + credits
  end
  for node, credits in string.gmatch(head[2] or '', '(%d+)=(%d+)') do
    purse.holds[node] = tonumber(credits)
    purse.held = purse.held + credits
  end
  for model in string.gmatch(head[6] or '', '[^,]+') do purse.trials[model] = true end
  return purse
end

local function let_go(purse, node)
  purse.held = purse.held - (purse.holds[node] or 0)
  purse.holds[node] = nil
end

-- Charge a node that has finished; never more than is reserved.
local function capture(purse, node, credits, usd, model)
  purse.usd = purse.usd + usd
  purse.trials[model] = nil
  local left = math.min(credits, purse.reserved)
  purse.spent, purse.reserved = purse.spent + left, purse.reserved - left
  for _, part in ipairs(purse.parts) do
    local taken = math.min(left, part[2])
    if taken > 0 then
      part[2], left = part[2] - taken, left - taken
      move(purse.wallet, 'capture', part[1], 0, -taken, 'execution', purse.id, 'node', node)
    end
  end
end

-- Make sure that a node which is about to run can be paid for.
-- Returns nothing, or why not: 'over' the cap, or 'poor' and what is missing.
local function hold(purse, node, credits, terms)
  let_go(purse, node)
  if purse.spent + purse.held + credits > purse.cap then return 'over', 0 end
  local missing = purse.held + credits - purse.reserved
  if missing > 0 then
    -- The tier may have changed since the execution was accepted: the wallet knows it as it is now.
    refresh_wallet(purse.wallet, purse.wallet.facts.terms or terms)
    if purse.wallet.balance < missing then return 'poor', missing end
    for _, part in ipairs(reserve(purse.wallet, missing, 'execution', purse.id)) do
      purse.parts[#purse.parts + 1] = part
    end
    purse.reserved = purse.reserved + missing
  end
  purse.holds[node] = credits
  purse.held = purse.held + credits
end

-- The execution has ended: what was not spent goes back to where it came from, unless that has
-- lapsed, and so does the trial of a model no node of which has finished.
local function release(purse)
  local wallet = purse.wallet
  for _, part in ipairs(purse.parts) do
    local bucket, credits = part[1], part[2]
    local is_moved = string.sub(bucket, 1, 1) == 'm' and not wallet.left[bucket]
      and lapses_at(bucket) > wallet.now
    if is_moved then bucket = 'm' .. wallet.facts.ends end -- the tier has changed meanwhile
    if lapses_at(bucket) > wallet.now then
      move(wallet, 'release', bucket, credits, -credits, 'execution', purse.id)
    else
      move(wallet, 'lapse', bucket, 0, -credits, 'execution', purse.id)
    end
  end
  for model in pairs(purse.trials) do
    local used = string.match(wallet.facts['g:' .. model] or '', '^r(%d+)$')
    if used then wallet.facts['g:' .. model] = 'r' .. math.max(0, used - 1) end
  end
  purse.parts, purse.holds, purse.trials = {}, {}, {}
end

local function save_purse(purse, terms)
  local parts, holds, trials = {}, {}, {}
  for _, part in ipairs(purse.parts) do
    if part[2] > 0 then parts[#parts + 1] = part[1] .. '=' .. string.format('%d', part[2]) end
  end
  for node, credits in pairs(purse.holds) do
    holds[#holds + 1] = node .. '=' .. string.format('%d', credits)
  end
  for model in pairs(purse.trials) do trials[#trials + 1] = model end
  local execution = purse.execution
  redis.call('HSET', execution, 'reserve', table.concat(parts, ','),
    'holds', table.concat(holds, ','), 'trials', table.concat(trials, ','),
    'spent', string.format('%d', purse.spent), 'usd', string.format('%d', purse.usd))
  save_wallet(purse.wallet, terms)
end
