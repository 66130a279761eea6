-- Remove node names of versions without a document: expired ones, and those of the lowest versions
-- beyond `most`, at most `room` per call. Returns the time of the next removal, `now` when more are
-- due, infinity when none is left.
local AT_ONCE_MS = 3600000

local function remove_old_names(now, keep_ms, most, room)
  local old = {}
  for _, field in ipairs(redis.call('HKEYS', KEYS.node_names)) do
    local version = string.match(field, '^v(%d+)$')
    local since = version and string.match(redis.call('HGET', KEYS.node_names, field), ':(%d+)$')
    if since then old[#old + 1] = {tonumber(version), tonumber(since) + keep_ms} end
  end
  table.sort(old, function(one, other) return one[1] > other[1] end)
  local due = math.huge
  for place, version in ipairs(old) do
    local is_over = place > most or version[2] <= now
    if is_over and room > 0 then
      remove_names(string.format('%d', version[1]))
      room = room - 1
    elseif is_over then
      return now
    else
      -- The names of a workflow that is saved and run every minute are removed once an hour.
      due = math.min(due, math.max(version[2], now + AT_ONCE_MS))
    end
  end
  return due
end
