#!lua
-- Save a new version of a workflow's document within the quota of the account's tier. It becomes
-- the live one, or with a canary's rule the canary of the live one. The version displaced from the
-- latest ones is removed in the same call when it has never run, no workflow calls it and no
-- trigger or alias names it; else its review is scheduled.
-- Called again with the same operation id, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: workflow, account_workflows, node_names, documents, workflows_due, accounts,
--       workflows_by_time, callers (of the account's workflows), triggers (of the account),
--       alias_history
-- ARGV: now?, slug, operation, expected? (version, '0' never published, 'new' none yet, absent:
--       any), document, account, reference, names_digest, names (of the nodes), most_versions,
--       facts (of the version), draft_revision? (of the draft that is published and removed),
--       summary (of the document), calls? (of the document, with spaces between), canary? (JSON of
--       its rule), limits... (tier and 'workflows:bytes' of every tier, each empty without a limit)
-- Returns {'ok', version, created, updated, aliases (JSON, '' for none), revision (of them)}
--         | {'conflict', version} | {'gone'} | {'unpublished'} for a canary without a live version
--         | {'moved', revision} when the draft has another revision, 0 for none
--         | {'full', 'workflows' or 'bytes', used, limit}
-- Uses: read_now, count_documents, document_limits, version, add_names, draft, workflow_calls
-- Uses: is_called, triggered_versions, aliases, alias_versions, alias_history, record_publication
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)

local live, state, created, updated, operation, latest, known, revision = unpack(redis.call('HMGET',
  KEYS.workflow, 'version', 'state', 'created', 'updated', 'operation', 'latest', 'aliases',
  'aliases_revision'))
local canary = parse_canary(ARGV.canary)
if operation == ARGV.operation then
  return {'ok', canary and latest or live, created, updated, known or '', tonumber(revision or '0')}
end
local current, expected = live or '0', ARGV.expected
if expected == 'new' and state then return {'conflict', current} end
if expected ~= 'new' and (not state or state == 'deleted') then return {'gone'} end
local is_current = expected == '' or expected == 'new' or expected == current
if not is_current then return {'conflict', current} end
local draft, is_publishing = current_revision(), ARGV.draft_revision ~= ''
if is_publishing and ARGV.draft_revision ~= draft then return {'moved', draft} end
if canary and not live then return {'unpublished'} end

local number = math.max(tonumber(current), tonumber(latest or '0')) + 1
local version = string.format('%d', number)
local displaced = string.format('%d', number - tonumber(ARGV.most_versions))
local facts = stamp .. ':' .. ARGV.facts
local bytes = #ARGV.document + #facts + names_bytes()
local freed = version_bytes(displaced)
local may_be_in_use = redis.call('HEXISTS', KEYS.workflow, 'r' .. displaced) == 1
  or is_called(ARGV.slug, displaced) or displaced == live or aliased_versions()[displaced]
  or freed > 0 and triggered_versions(ARGV.slug)[displaced] or false
local drafted = is_publishing and redis.call('HSTRLEN', KEYS.workflow, 'draft') or 0
local refusal = document_limits(bytes - drafted - (may_be_in_use and 0 or freed), not state)
if refusal then return refusal end

if is_publishing then
  remove_draft()
  replace_calls(ARGV.slug, 'draft_calls', '')
end
redis.call('HSET', KEYS.workflow, 'state', 'live', 'created', created or stamp, 'operation',
  ARGV.operation, 'd' .. version, ARGV.document, 'm' .. version, facts)
if canary or latest then redis.call('HSET', KEYS.workflow, 'latest', version) end
if not canary then
  redis.call('HSET', KEYS.workflow, 'version', version, 'updated', stamp, 'summary', ARGV.summary)
  replace_calls(ARGV.slug, 'calls', ARGV.calls)
  redis.call('ZADD', KEYS.workflows_by_time, stamp, ARGV.slug)
  updated = stamp
end
add_names(version)
count_documents(bytes, state and 0 or 1)
redis.call('SADD', KEYS.account_workflows, ARGV.slug)
if freed > 0 and not may_be_in_use then remove_version(displaced, now) end
if freed > 0 and may_be_in_use then
  redis.call('ZADD', KEYS.workflows_due, 'LT', stamp, ARGV.reference)
end
return {'ok', version, created or stamp, updated, record_publication(now, current, number, canary)}
