#!lua
-- Open a group: write its record with all children queued, count them at the root, and schedule the
-- first look. The version that they run is kept. A full Redis refuses the script as a whole. Called
-- again, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: group, parent, root, open_children, children_due, workflow? (of the account itself, to keep
--       its version)
-- ARGV: now?, account_id, member (of the open children), node (index), size (children),
--       most_children (of the root), version, has_objects? ('1' when fields name some), fields...
--       (names and values of the record)
-- Returns {'ok', size, created} | {'ended'} parent, root or node | {'too_many', children so far}
--         | {'gone'} without the workflow or its version
-- Uses: read_now, schedule_group
local now = read_now(ARGV.now)
local BLOCK = 1000

local size, created = unpack(redis.call('HMGET', KEYS.group, 'size', 'created'))
if created then return {'ok', tonumber(size), tonumber(created)} end
local status, statuses, groups = unpack(redis.call('HMGET', KEYS.parent, 'status', 'statuses',
  'groups'))
local root_status, count = unpack(redis.call('HMGET', KEYS.root, 'status', 'children'))
if status ~= 'processing' or root_status ~= 'processing' then return {'ended'} end
if not string.find(string.sub(statuses, ARGV.node + 1, ARGV.node + 1), '[rw]') then
  return {'ended'}
end
size, count = tonumber(ARGV.size), tonumber(count or '0')
if count + size > tonumber(ARGV.most_children) then return {'too_many', count} end
if KEYS.workflow then
  local state, document = unpack(redis.call('HMGET', KEYS.workflow, 'state', 'd' .. ARGV.version))
  if not state or state == 'deleted' or not document then return {'gone'} end
end

redis.call('HSET', KEYS.group, 'status', size > 0 and 'open' or 'done', 'created', now, 'size',
  ARGV.size, 'queued', ARGV.size, 'running', '0')
for first = FIRST.fields, LAST.fields, 1000 do
  redis.call('HSET', KEYS.group, unpack(ARGV, first, math.min(first + 999, LAST.fields)))
end
for first = 0, size - 1, BLOCK do
  local states = string.rep('q', math.min(BLOCK, size - first))
  redis.call('HSET', KEYS.group, 's' .. first / BLOCK, states)
end
groups = (groups and groups .. ',' or '') .. ARGV.node .. '=' .. ARGV.size
redis.call('HSET', KEYS.parent, 'groups', groups)
if ARGV.has_objects == '1' then redis.call('HSET', KEYS.parent, 'has_objects', '1') end
redis.call('HINCRBY', KEYS.root, 'children', ARGV.size)
if size > 0 then schedule_group(ARGV.account_id, ARGV.member, now) end
if KEYS.workflow then
  -- A review that began before spares the version.
  local begun = redis.call('HINCRBY', KEYS.workflow, 'begun', 1)
  redis.call('HSET', KEYS.workflow, 'r' .. ARGV.version, 'b' .. begun)
end
return {'ok', size, now}
