-- States of the children of a group, a letter each, in fields 's<n>' of 1,000 letters. Blocks are
-- read once, and written by `save_states_of_group`.
local BLOCK = 1000
local blocks, changed = {}, {}
local function block_of(index)
  local number = math.floor(index / BLOCK)
  local field = 's' .. number
  if not blocks[field] then blocks[field] = redis.call('HGET', KEYS.group, field) or '' end
  return field, index - number * BLOCK
end

local function state_of(index)
  local field, at = block_of(index)
  return string.sub(blocks[field], at + 1, at + 1)
end

local function set_state(index, code)
  local field, at = block_of(index)
  blocks[field] = string.sub(blocks[field], 1, at) .. code .. string.sub(blocks[field], at + 2)
  changed[field] = true
end

local function save_states_of_group()
  for field in pairs(changed) do redis.call('HSET', KEYS.group, field, blocks[field]) end
end
