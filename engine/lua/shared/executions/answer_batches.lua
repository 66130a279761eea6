-- Item answers of nodes for another attempt, in batches. The field 'answer_batches' has the number
-- of batches of each node, 'node=batches,…'; each batch has a field of its own.
local function answer_batches(text)
  local counts = {}
  for index, count in string.gmatch(text or '', '(%d+)=(%d+)') do
    counts[index] = tonumber(count)
  end
  return counts
end

local function save_batch_counts(counts)
  local listed = {}
  for index, count in pairs(counts) do listed[#listed + 1] = index .. '=' .. count end
  table.sort(listed)
  if #listed == 0 then
    redis.call('HDEL', KEYS.execution, 'answer_batches')
  else
    redis.call('HSET', KEYS.execution, 'answer_batches', table.concat(listed, ','))
  end
end
