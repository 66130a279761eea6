-- Return the indexes of the first queued children of a group, at most `most`.
local function first_queued(size, most)
  local found = {}
  for first = 0, size - 1, 1000 do
    local states = redis.call('HGET', KEYS.group, 's' .. first / 1000)
    local at = string.find(states, 'q', 1, true)
    while at do
      found[#found + 1] = first + at - 1
      if #found == most then return found end
      at = string.find(states, 'q', at + 1, true)
    end
  end
  return found
end
