#!lua flags=no-writes
-- Find the executions whose records meet conditions.
-- After a lost reply the call is sent again.
-- KEYS: executions...
-- ARGV: conditions... (four words each: field; comparison (equals, one_of: the wanted value is a
--       list, has: the field is a list, tagged: a list joined by NUL, contains: the field has the
--       wanted value as a part, lacks: the field has no value); wanted value, lists joined by
--       commas; 'owner' where the caller of another account's workflow may not know it, or '')
-- Returns the matching positions in KEYS
local fields = {'status', 'owner'}
for i = FIRST.conditions, LAST.conditions, 4 do fields[#fields + 1] = ARGV[i] end

local function has(list, word, comma)
  return string.find(comma .. list .. comma, comma .. word .. comma, 1, true)
end

local function meets(value, comparison, wanted)
  if not value or value == '' then return comparison == 'lacks' end
  if comparison == 'equals' then return value == wanted end
  if comparison == 'one_of' then return has(wanted, value, ',') end
  if comparison == 'contains' then return string.find(value, wanted, 1, true) end
  if comparison == 'tagged' then return has(value, wanted, '\0') end
  return comparison == 'has' and has(value, wanted, ',')
end

local function meets_all(record)
  local status, owner = record[1], record[2]
  if not status then return false end
  local position = 2
  for i = FIRST.conditions, LAST.conditions, 4 do
    position = position + 1
    local value = not (owner and ARGV[i + 3] == 'owner') and record[position]
    if not meets(value, ARGV[i + 1], ARGV[i + 2]) then return false end
  end
  return true
end

local found = {}
for position = FIRST.executions, LAST.executions do
  if meets_all(redis.call('HMGET', KEYS[position], unpack(fields))) then
    found[#found + 1] = position
  end
end
return found
