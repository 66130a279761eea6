-- Return the fields of the deleted model that is forgotten when `name` is saved anew: that whose
-- last version is the oldest, once more than `most` others are deleted; none, if fewer are. Returns
-- nothing when `most` models are saved.
local function forgotten_model(name, most)
  local fields, live, deleted, count = redis.call('HKEYS', KEYS.models), {}, {}, 0
  for _, field in ipairs(fields) do
    local member, other = string.match(field, '^(%l+):([^:]+)$')
    if member == 'created' then count, live[other] = count + 1, true end
    if member == 'version' and other ~= name then deleted[#deleted + 1] = other end
  end
  if count >= most then return end
  local gone, oldest, oldest_at = 0, nil, math.huge
  for _, other in ipairs(deleted) do
    if not live[other] then
      local last = redis.call('HGET', KEYS.models, 'version:' .. other)
      local at = tonumber(redis.call('HGET', KEYS.models, 'at:' .. other .. ':' .. last) or '0')
      gone = gone + 1
      if at < oldest_at then oldest, oldest_at = other, at end
    end
  end
  local forgotten = {}
  for _, field in ipairs(gone > most and fields or {}) do
    if string.match(field, '^%l+:([^:]+)') == oldest then forgotten[#forgotten + 1] = field end
  end
  return forgotten
end
