#!lua flags=allow-oom
-- Remove expired data of a workflow: documents that are not among the latest and not in use, the
-- latest document once a delete cannot be undone, and the names of nodes once no readable execution
-- of the version is left. Each call removes a bounded number.
-- After a lost reply the call is sent again.
-- KEYS: workflow, node_names, documents, workflows_due, secret_users (slugs), callers (of the
--       account's workflows), triggers (of the account), tests
-- ARGV: now?, reference, first_begun (first version that may have begun to run since the account's
--       executions were read), most_versions, undo_ms (in which a delete can be undone), names_ms
--       (to keep names), most_names (versions with names alone), most_removed (in this call),
--       again_ms (until versions in use are examined again), called_again_ms (until those are that
--       workflows call or triggers or aliases name), public_run_ms (in which a run of another
--       account may last), begun (executions of former versions that had begun before the
--       account's executions were read), running... (versions in use)
-- Returns 1 when more can be removed now, else 0
-- Uses: read_now, count_documents, version, running_versions, old_names, draft
-- Uses: is_called, triggered_versions, tests, aliases, alias_versions
local now = read_now(ARGV.now)
local slug = string.match(ARGV.reference, '[^/]+$')
local room, due, left = tonumber(ARGV.most_removed), math.huge, 0

local version, state, deleted, latest = unpack(redis.call('HMGET', KEYS.workflow,
  'version', 'state', 'deleted', 'latest'))
local live = tonumber(version or '0')
local newest = math.max(live, tonumber(latest or '0'))
local oldest = state == 'deleted' and live or newest - tonumber(ARGV.most_versions) + 1
if state == 'deleted' then
  local undo_ends = tonumber(deleted or '0') + tonumber(ARGV.undo_ms)
  if undo_ends <= now then oldest = math.huge else due = undo_ends end
end

local is_running, is_triggered = running_versions(), triggered_versions(slug)
local is_aliased = aliased_versions()
for _, field in ipairs(redis.call('HKEYS', KEYS.workflow)) do
  local document_version = string.match(field, '^d(%d+)$')
  local number = tonumber(document_version or 'inf')
  local is_used = document_version
    and (is_running[document_version] or is_in_use(document_version, live, now))
  local is_pinned = document_version and number < oldest and oldest < math.huge
    and (number == live or is_triggered[document_version] or is_aliased[document_version]
      or is_called(slug, document_version))
  if document_version and (number >= oldest or is_used or is_pinned or room == 0) then
    left = left + 1
    local wait_ms = tonumber(is_used and ARGV.again_ms or is_pinned and ARGV.called_again_ms or 0)
    if number < oldest then due = math.min(due, now + wait_ms) end
  elseif document_version then
    remove_version(document_version, now)
    room = room - 1
  end
end
if oldest == math.huge and left == 0 then
  remove_draft()
  count_documents(-tests_bytes(test_names()), 0)
  redis.call('DEL', KEYS.workflow, KEYS.tests)
  redis.call('SREM', KEYS.secret_users, slug)
  count_documents(0, -1)
end
due = math.min(due, remove_old_names(now, tonumber(ARGV.names_ms), tonumber(ARGV.most_names), room))

if due == math.huge then
  redis.call('ZREM', KEYS.workflows_due, ARGV.reference)
  return 0
end
redis.call('ZADD', KEYS.workflows_due, string.format('%d', due), ARGV.reference)
return due <= now and 1 or 0
