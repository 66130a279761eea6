-- Reserve the credits that an execution may cost, and use up trials, as the options of its acceptance
-- tell. Returns the refusal, if any.
local function charge(keys, now)
  local credits, terms = tonumber(option.credits), option.terms
  local wallet = open_wallet(keys, now)
  refresh_wallet(wallet, terms)
  local exhausted = use_trials(wallet, option.trials)
  if exhausted then return {'exhausted', exhausted} end
  if wallet.balance < credits then return {'insufficient', wallet.balance} end
  local parts = reserve(wallet, credits, 'execution', ARGV[2])
  for position, part in ipairs(parts) do
    parts[position] = part[1] .. '=' .. string.format('%d', part[2])
  end
  redis.call('HSET', KEYS[2], 'terms', terms, 'reserved', table.concat(parts, ','))
  save_wallet(wallet, terms)
end
