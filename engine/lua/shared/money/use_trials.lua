-- Use up one trial of each model in 'model=r<runs>,model=d<milliseconds>'. A trial by time begins
-- with its first use. Returns the first model with an exhausted trial, else nothing.
local function use_trials(wallet, trials)
  for model, kind, most in string.gmatch(trials, '([^=,]+)=([rd])(%d+)') do
    local field = 'g:' .. model
    local used = tonumber(string.match(wallet.facts[field] or '', '^' .. kind .. '(%d+)$'))
    if kind == 'r' then
      used = (used or 0) + 1
      if used > tonumber(most) then return model end
    else
      used = used or wallet.now + tonumber(most)
      if used <= wallet.now then return model end
    end
    wallet.facts[field] = kind .. string.format('%d', used)
  end
end
