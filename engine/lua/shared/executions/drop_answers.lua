-- Delete the answers of the nodes that are completed in '0c1f…'; nil: of all nodes.
local function drop_answers(text, settled)
  local counts, fields, indexes = answer_batches(text), {}, {}
  if settled then
    for index in string.gmatch(settled, '(%d+)c') do indexes[#indexes + 1] = index end
  else
    for index in pairs(counts) do indexes[#indexes + 1] = index end
  end
  for _, index in ipairs(indexes) do
    for number = 1, counts[index] or 0 do fields[#fields + 1] = 'k' .. index .. '.' .. number end
    counts[index] = nil
  end
  if #fields == 0 then return end
  for first = 1, #fields, 1000 do
    redis.call('HDEL', KEYS.execution, unpack(fields, first, math.min(first + 999, #fields)))
  end
  save_batch_counts(counts)
end
