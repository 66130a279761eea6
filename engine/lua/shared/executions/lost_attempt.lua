-- Return the field and value that record a lost attempt at a node: 'attempt:fence:begin:end,' is
-- added. Call it before the first write.
local function lost_attempt(index, attempt, fence, began, now)
  local field = 'l' .. index
  local attempts = redis.call('HGET', KEYS.execution, field) or ''
  return field, attempts .. attempt .. ':' .. fence .. ':' .. began .. ':' ..
    string.format('%d', now) .. ','
end
