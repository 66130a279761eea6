-- Return the statuses of a batch's items with another code for one, counted from 0.
local function with_state(states, item, code)
  return string.sub(states, 1, item) .. code .. string.sub(states, item + 2)
end

-- Return the number of items with a code.
local function count_states(states, code)
  local _, count = string.gsub(states, code, '')
  return count
end
