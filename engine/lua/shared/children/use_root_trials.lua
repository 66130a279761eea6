-- Use up the trials of models that children call, once for all children of a root: `tried` on its
-- record has the models of which it has used one. Returns the first model with an exhausted trial,
-- else nothing.
local function use_root_trials(now)
  local tried, open = unpack(redis.call('HMGET', KEYS.root, 'tried', 'trials'))
  local trials, models = {}, {}
  for model, trial in string.gmatch(ARGV.trials, '([^=,]+)=([^,]+)') do
    if not string.find(',' .. (tried or '') .. ',', ',' .. model .. ',', 1, true) then
      trials[#trials + 1] = model .. '=' .. trial
      models[#models + 1] = model
    end
  end
  if #models == 0 then return end
  -- Uses: wallet, save_wallet, use_trials
  local wallet = open_wallet(now)
  local exhausted = use_trials(wallet, table.concat(trials, ','))
  if exhausted then return exhausted end
  models = table.concat(models, ',')
  local function with_models(text)
    return (text or '') == '' and models or text .. ',' .. models
  end
  redis.call('HSET', KEYS.root, 'tried', with_models(tried), 'trials', with_models(open))
  save_wallet(wallet, ARGV.terms)
end
