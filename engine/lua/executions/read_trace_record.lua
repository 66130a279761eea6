#!lua flags=no-writes
-- Read the record of an execution without its values, which may be large: a trace shows none.
-- After a lost reply the call is sent again.
-- KEYS: execution
-- ARGV: fields... (besides those of steps, claims, lost attempts, workers and begins of nodes)
-- Returns fields and values in turn, none when the record is gone
local wanted, found = {}, {}
for i = FIRST.fields, LAST.fields do wanted[#wanted + 1] = ARGV[i] end
for _, name in ipairs(redis.call('HKEYS', KEYS.execution)) do
  if string.find(name, '^[rnlwb]%d') then wanted[#wanted + 1] = name end
end
for first = 1, #wanted, 1000 do
  local last = math.min(first + 999, #wanted)
  local values = redis.call('HMGET', KEYS.execution, unpack(wanted, first, last))
  for i = first, last do
    local value = values[i - first + 1]
    if value then
      found[#found + 1] = wanted[i]
      found[#found + 1] = value
    end
  end
end
return found
