-- Remove the inputs and outputs of an ended execution, and the texts of its nodes, unless its
-- workflow keeps them. `policy`, its field `values`, is 'none', 'failed' or absent: all. Outputs that
-- may have to go are in fields of their own, 'o<fence>.<step>'. Objects in the blob store are
-- removed afterwards.
local function drop_values(execution, progress, status, policy)
  if not policy or (policy == 'failed' and status == 'failed') then return end
  local fields = {'inputs'}
  for _, name in ipairs(redis.call('HKEYS', execution)) do
    if string.match(name, '^o%d+%.%d+$') then fields[#fields + 1] = name end
  end
  for first = 1, #fields, 1000 do
    redis.call('HDEL', execution, unpack(fields, first, math.min(first + 999, #fields)))
  end
  redis.call('HSET', execution, 'dropped', '1')
  if progress then redis.call('UNLINK', progress) end
end
