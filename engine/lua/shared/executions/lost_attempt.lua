-- Return the field and value that note a lost attempt at a node: 'attempt:fence:begin:end,' is
-- added.
-- It is called before the first write.
local function lost_attempt(index, attempt, fence, began, now)
  local field = 'l' .. index
  local noted = redis.call('HGET', KEYS.execution, field) or ''
  return field, noted .. attempt .. ':' .. fence .. ':' .. began .. ':' ..
    string.format('%d', now) .. ','
end
