#!lua
-- Add a round of children to a group that grows, and open the group with its first round. The round
-- is added once: to a group of another size than expected the script adds nothing. The node is to
-- wait again, so an earlier end of its wait is forgotten. The versions that children may run are
-- kept while the parent is on record. A full Redis refuses the script as a whole.
-- After a lost reply the call is sent again.
-- KEYS: group, parent, root, open_children, children_due, workflows... (of the account itself, to
--       keep their versions, with the first round)
-- ARGV: now?, account_id, member (of the open children), node (index), expected (children before),
--       most_children (of the root), has_objects? ('1' when fields name some), kept? (versions of
--       the workflows, 'slug@version,…'), versions... (in the order of the workflows), fields...
--       (names and values of the record, with the first round), items... (of the new children)
-- Returns {'ok', size, created} | {'ended'} parent, root, node or group
--         | {'too_many', children so far} | {'gone', number of the workflow or version}
-- Uses: read_now, schedule_group
local now = read_now(ARGV.now)
local BLOCK = 1000

local size, created, group_status, queued = unpack(redis.call('HMGET', KEYS.group, 'size',
  'created', 'status', 'queued'))
size = tonumber(size or '0')
if created and size ~= tonumber(ARGV.expected) then return {'ok', size, tonumber(created)} end
local status, statuses, groups, woken, kept = unpack(redis.call('HMGET', KEYS.parent, 'status',
  'statuses', 'groups', 'woken', 'kept_versions'))
local root_status, count = unpack(redis.call('HMGET', KEYS.root, 'status', 'children'))
if status ~= 'processing' or root_status ~= 'processing' then return {'ended'} end
if group_status == 'cancelling' then return {'ended'} end
if not string.find(string.sub(statuses, ARGV.node + 1, ARGV.node + 1), '[rw]') then
  return {'ended'}
end
local added = LAST.items - FIRST.items + 1
count = tonumber(count or '0')
if count + added > tonumber(ARGV.most_children) then return {'too_many', count} end
for place = FIRST.workflows, LAST.workflows do
  local number = place - FIRST.workflows
  local state, document = unpack(redis.call('HMGET', KEYS[place], 'state',
    'd' .. ARGV[FIRST.versions + number]))
  if not state or state == 'deleted' or not document then return {'gone', number} end
end

if not created then
  created = string.format('%d', now)
  redis.call('HSET', KEYS.group, 'created', created, 'running', '0', unpack(ARGV, FIRST.fields,
    LAST.fields))
end
redis.call('HSET', KEYS.group, 'status', 'open', 'size', size + added, 'queued',
  (queued or 0) + added)
for number = 0, added - 1 do
  local index = size + number
  local field = 's' .. math.floor(index / BLOCK)
  redis.call('HSET', KEYS.group, 'i' .. index, ARGV[FIRST.items + number], field,
    (redis.call('HGET', KEYS.group, field) or '') .. 'q')
end

local sizes, nodes = {}, {}
for node, children in string.gmatch(groups or '', '(%d+)=(%d+)') do
  if node ~= ARGV.node then sizes[#sizes + 1] = node .. '=' .. children end
end
sizes[#sizes + 1] = ARGV.node .. '=' .. (size + added)
for node in string.gmatch(woken or '', '%d+') do
  if node ~= ARGV.node then nodes[#nodes + 1] = node .. ',' end
end
redis.call('HSET', KEYS.parent, 'groups', table.concat(sizes, ','), 'woken',
  ',' .. table.concat(nodes))
if ARGV.has_objects == '1' then redis.call('HSET', KEYS.parent, 'has_objects', '1') end
if ARGV.kept ~= '' then
  redis.call('HSET', KEYS.parent, 'kept_versions', kept and kept .. ',' .. ARGV.kept or ARGV.kept)
end
redis.call('HINCRBY', KEYS.root, 'children', added)
schedule_group(ARGV.account_id, ARGV.member, now)
for place = FIRST.workflows, LAST.workflows do
  -- A review that began before spares the version.
  local begun = redis.call('HINCRBY', KEYS[place], 'begun', 1)
  local version = ARGV[FIRST.versions + place - FIRST.workflows]
  redis.call('HSET', KEYS[place], 'r' .. version, 'b' .. begun)
end
return {'ok', size + added, tonumber(created)}
