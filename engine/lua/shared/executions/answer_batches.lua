-- Item answers of nodes for another attempt, in batches. The field 'answer_batches' has the number
-- of batches of each node, 'node=batches,…'; each batch has a field of its own.
local function answer_batches(text)
  local counts = {}
  for index, count in string.gmatch(text or '', '(%d+)=(%d+)') do counts[index] = tonumber(count) end
  return counts
end

local function save_batch_counts(execution, counts)
  local listed = {}
  for index, count in pairs(counts) do listed[#listed + 1] = index .. '=' .. count end
  table.sort(listed)
  if #listed == 0 then
    redis.call('HDEL', execution, 'answer_batches')
  else
    redis.call('HSET', execution, 'answer_batches', table.concat(listed, ','))
  end
end

-- Delete the answers of these nodes, a list of indexes; nil: of all nodes.
local function drop_answers(execution, text, indexes)
  local counts, fields = answer_batches(text), {}
  if not indexes then
    indexes = {}
    for index in pairs(counts) do indexes[#indexes + 1] = index end
  end
  for _, index in ipairs(indexes) do
    for number = 1, counts[index] or 0 do fields[#fields + 1] = 'k' .. index .. '.' .. number end
    counts[index] = nil
  end
  if #fields == 0 then return end
  for first = 1, #fields, 1000 do
    redis.call('HDEL', execution, unpack(fields, first, math.min(first + 999, #fields)))
  end
  save_batch_counts(execution, counts)
end
