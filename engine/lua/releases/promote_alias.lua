#!lua
-- Make the canary of an alias its version. For `live` its version is published: it becomes the live
-- one under its own number, with the document given, and callers, lists and summary are its own.
-- Called again with the same canary, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: workflow, alias_history, documents, accounts, workflows_by_time?, workflows_due?, callers?
--       (of the account's workflows; these three for `live`)
-- ARGV: now?, account, slug, reference, name, version (of the canary), canary_id,
--       former_operation? (of the save with which the document agrees; absent: any), operation?,
--       document?, summary?, calls? (these five for `live`), reason, limits... (tier and
--       'workflows:bytes' of every tier, each empty without a limit)
-- Returns {'ok', aliases (JSON, '' for none), revision, created, updated} | {'gone'}
--         | {'changed'} when the alias has another canary by now, or none, or for `live` when the
--           workflow was saved meanwhile: its live version may be private by now
--         | {'full', 'bytes', used, limit}
-- Uses: read_now, count_documents, document_limits, workflow_calls, aliases, alias_history
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)

local live, state, created, updated, revision, latest, former = unpack(redis.call('HMGET',
  KEYS.workflow, 'version', 'state', 'created', 'updated', 'aliases_revision', 'latest',
  'operation'))
if not state or state == 'deleted' then return {'gone'} end
local aliases, is_live = read_aliases(), ARGV.name == 'live'
local alias = aliases[ARGV.name]
local version = alias and string.format('%d', alias.version) or is_live and live or ''
if not (alias and alias.canary) and version == ARGV.version then
  return {'ok', redis.call('HGET', KEYS.workflow, 'aliases') or '', tonumber(revision or '0'),
    created, updated}
end
if not (alias and alias.canary) or alias.canary.id ~= ARGV.canary_id then return {'changed'} end
if ARGV.former_operation ~= '' and ARGV.former_operation ~= former then return {'changed'} end
local more = is_live
  and #ARGV.document - redis.call('HSTRLEN', KEYS.workflow, 'd' .. ARGV.version) or 0
local refusal = document_limits(more, false)
if refusal then return refusal end

local current = {version = alias.canary.version, updatedAt = now}
aliases[ARGV.name] = not is_live and current or nil
local stored, changed = write_aliases(aliases)
add_history(ARGV.name, now, 'user', ARGV.reason, alias, current)
if is_live then
  count_documents(more, 0)
  -- The version may be an older one: numbers go on from the newest, and a review that began before
  -- spares the former live one, whose executions are not numbered.
  local newest = math.max(tonumber(live), tonumber(latest or '0'))
  local begun = redis.call('HINCRBY', KEYS.workflow, 'begun', 1)
  redis.call('HSET', KEYS.workflow, 'version', ARGV.version, 'updated', stamp, 'operation',
    ARGV.operation, 'd' .. ARGV.version, ARGV.document, 'summary', ARGV.summary, 'latest', newest,
    'r' .. live, 'b' .. begun)
  replace_calls(ARGV.slug, 'calls', ARGV.calls)
  redis.call('ZADD', KEYS.workflows_by_time, stamp, ARGV.slug)
  updated = stamp
end
if KEYS.workflows_due then
  redis.call('ZADD', KEYS.workflows_due, 'LT', stamp, ARGV.reference)
end
return {'ok', stored, changed, created, updated}
