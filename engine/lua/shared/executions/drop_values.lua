-- Remove inputs, outputs and the book of an ended execution, unless its workflow keeps them.
-- `policy`, its field `values`, is 'none', 'failed' or absent: all. Outputs that may have to go are
-- in fields of their own, 'o<fence>.<step>'. Of waits and answers their first lines stay.
-- Objects in the blob store are removed afterwards.
-- Returns true when values were removed.
local function drop_values(status, policy)
  if not policy or (policy == 'failed' and status == 'failed') then return end
  local fields = {'inputs', 'book'}
  for _, name in ipairs(redis.call('HKEYS', KEYS.execution)) do
    if string.match(name, '^o%d+%.%d+$') then fields[#fields + 1] = name end
    if string.match(name, '^[qa]%d+$') then
      local facts = string.match(redis.call('HGET', KEYS.execution, name), '^[^\n]*')
      redis.call('HSET', KEYS.execution, name, facts)
    end
  end
  for first = 1, #fields, 1000 do
    redis.call('HDEL', KEYS.execution, unpack(fields, first, math.min(first + 999, #fields)))
  end
  redis.call('HSET', KEYS.execution, 'dropped', '1')
  return true
end
