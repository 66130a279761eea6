-- Reserve the credits that an execution to accept may cost, and use up trials. Returns the refusal,
-- if any.
local function charge(now)
  local wallet = open_wallet(now)
  local credits = tonumber(ARGV.credits)
  refresh_wallet(wallet, ARGV.terms)
  local exhausted = use_trials(wallet, ARGV.trials)
  if exhausted then return {'exhausted', exhausted} end
  if wallet.balance < credits then return {'insufficient', wallet.balance} end
  local parts = reserve(wallet, credits, 'execution', ARGV.id)
  for position, part in ipairs(parts) do
    parts[position] = part[1] .. '=' .. string.format('%d', part[2])
  end
  local reserved = table.concat(parts, ',')
  redis.call('HSET', KEYS.execution, 'terms', ARGV.terms, 'reserved', reserved)
  save_wallet(wallet, ARGV.terms)
end
