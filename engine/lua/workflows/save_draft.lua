#!lua
-- Write the draft of a workflow, or of a new one, within the quota of the account's tier.
-- Called again with the same operation id, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: workflow, account_workflows, documents, accounts, workflows_by_time, callers (of the
--       account's workflows)
-- ARGV: now?, operation, expected? (revisions between commas, ',0,' none yet, absent: any; or 'new'
--       for a workflow that does not exist yet), document, account, slug, summary (of the
--       document), calls? (of the document, with spaces between), limits... (tier and
--       'workflows:bytes' of every tier, each empty without a limit)
-- Returns {'ok', revision, version that it is based on or '', saved} | {'conflict', revision}
--         | {'gone'} | {'full', 'workflows' or 'bytes', used, limit}
-- Uses: read_now, count_documents, document_limits, draft, workflow_calls
local stamp = string.format('%d', read_now(ARGV.now))

local version, state, operation, last_revision, based_on, saved = unpack(redis.call('HMGET',
  KEYS.workflow, 'version', 'state', 'draft_operation', 'draft_revision', 'draft_based_on',
  'draft_saved'))
if operation == ARGV.operation then return {'ok', last_revision, based_on or '', saved or stamp} end
local is_new = ARGV.expected == 'new'
if (not state and not is_new) or state == 'deleted' then return {'gone'} end
local revision = current_revision()
if is_new and state or not is_new and not is_expected(ARGV.expected, revision) then
  return {'conflict', revision}
end

local more = #ARGV.document - redis.call('HSTRLEN', KEYS.workflow, 'draft')
local refusal = document_limits(more, is_new)
if refusal then return refusal end

based_on = revision == '0' and version or based_on or ''
local number = string.format('%d', tonumber(last_revision or '0') + 1)
redis.call('HSET', KEYS.workflow, 'draft', ARGV.document, 'draft_revision', number,
  'draft_based_on', based_on, 'draft_saved', stamp, 'draft_operation', ARGV.operation)
replace_calls(ARGV.slug, 'draft_calls', ARGV.calls)
if not version then
  redis.call('HSET', KEYS.workflow, 'summary', ARGV.summary)
  redis.call('ZADD', KEYS.workflows_by_time, stamp, ARGV.slug)
end
if is_new then
  redis.call('HSET', KEYS.workflow, 'state', 'live', 'created', stamp, 'updated', stamp)
  redis.call('SADD', KEYS.account_workflows, ARGV.slug)
end
count_documents(more, is_new and 1 or 0)
return {'ok', number, based_on, stamp}
