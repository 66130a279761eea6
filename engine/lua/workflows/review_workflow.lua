#!lua flags=allow-oom
-- Remove expired data of a workflow: documents that are not among the latest and not in use, the
-- latest document once a delete cannot be undone, and the names of nodes once no readable execution
-- of the version is left. Each call removes a bounded number.
-- KEYS: 1 workflow, 2 names of its nodes, 3 counters of the account's documents, 4 workflows due,
--       5 slugs of workflows with secrets
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 first version that may have begun to run since the
--       account's executions were read, 4 versions to keep, 5 milliseconds in which a delete can be
--       undone, 6 milliseconds to keep names, 7 most versions with kept names, 8 most versions to
--       remove in this call, 9 milliseconds until versions in use are examined again,
--       10 milliseconds in which a run of another account may last, 11 number of executions of former
--       versions that had begun before the account's executions were read, then the versions in use
-- Returns 1 when more can be removed now, else 0
-- Uses: read_now, count_documents, version, old_names, draft
local now = read_now(ARGV[1])
local keys = {workflow = KEYS[1], names = KEYS[2], stored = KEYS[3]}
local room, due, left = tonumber(ARGV[8]), math.huge, 0
local runs = {}
for position = 12, #ARGV do runs[ARGV[position]] = true end

-- Return whether executions of other accounts may still run the version.
local function is_run_by_others(version)
  local at = version and redis.call('HGET', KEYS[1], 'p' .. version)
  return at and tonumber(at) > now - tonumber(ARGV[10])
end

-- Return whether an execution of a former version has begun since the executions were read.
local function has_begun(version)
  local begun = string.match(redis.call('HGET', KEYS[1], 'r' .. version) or '', '^b(%d+)$')
  return begun and tonumber(begun) > tonumber(ARGV[11])
end

local head = redis.call('HMGET', KEYS[1], 'version', 'state', 'deleted')
local last, is_deleted = tonumber(head[1] or '0'), head[2] == 'deleted'
local oldest = is_deleted and last or last - tonumber(ARGV[4]) + 1
if is_deleted then
  local until_when = tonumber(head[3] or '0') + tonumber(ARGV[5])
  if until_when <= now then oldest = math.huge else due = until_when end
end

for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local version = string.match(field, '^d(%d+)$')
  local number = tonumber(version or 'inf')
  local is_in_use = version
    and (runs[version] or number >= tonumber(ARGV[3]) or has_begun(version)
      or is_run_by_others(version))
  if version and (number >= oldest or is_in_use or room == 0) then
    left = left + 1
    if number < oldest then due = math.min(due, now + (is_in_use and tonumber(ARGV[9]) or 0)) end
  elseif version then
    remove_version(keys, version, now)
    room = room - 1
  end
end
if oldest == math.huge and left == 0 then
  remove_draft(keys)
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[5], string.match(ARGV[2], '[^/]+$'))
  count_documents(keys, 0, -1)
end
due = math.min(due, remove_old_names(keys, now, tonumber(ARGV[6]), tonumber(ARGV[7]), room))

if due == math.huge then
  redis.call('ZREM', KEYS[4], ARGV[2])
  return 0
end
redis.call('ZADD', KEYS[4], string.format('%d', due), ARGV[2])
return due <= now and 1 or 0
