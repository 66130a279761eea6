#!lua
-- Write the draft of a workflow, or of a new one, unless the account's documents would then take more than its tier
-- allows. Called again with the same operation id it answers as the first time.
-- KEYS: 1 workflow, 2 account's workflows, 3 counters of the account's documents,
--       4 accounts of the partition, 5 account's workflows by time
-- ARGV: 1 now (0: Redis's clock), 2 operation id, 3 expected revisions between commas ('' any,
--       ',0,' none yet), or 'new' for a workflow that is not there yet, 4 document, 5 account id,
--       6 slug, 7 summary of the document, then tier and 'workflows:bytes' (each empty without a limit) of every tier
-- Returns {'ok', revision, version that it is based on or '', saved} | {'conflict', revision}
--         | {'gone'} | {'full', 'workflows' or 'bytes', used, limit}
-- Uses: read_now, count_documents, document_limits, draft
local stamp = string.format('%d', read_now(ARGV[1]))
local keys = {workflow = KEYS[1], stored = KEYS[3]}

local head = redis.call('HMGET', KEYS[1], 'version', 'state', 'draft_operation', 'draft_revision',
  'draft_based_on', 'draft_saved')
if head[3] == ARGV[2] then return {'ok', head[4], head[5] or '', head[6] or stamp} end
local is_new = ARGV[3] == 'new'
if (not head[2] and not is_new) or head[2] == 'deleted' then return {'gone'} end
local revision = current_revision(keys)
if is_new and head[2] or not is_new and not is_expected(ARGV[3], revision) then
  return {'conflict', revision}
end

local so_far = redis.call('HMGET', KEYS[3], 'bytes', 'workflows')
local stored = {bytes = tonumber(so_far[1] or '0'), workflows = tonumber(so_far[2] or '0')}
local more = #ARGV[4] - redis.call('HSTRLEN', KEYS[1], 'draft')
local account = redis.call('HGET', KEYS[4], ARGV[5])
local refusal = document_limits(account, stored, more, is_new, 8)
if refusal then return refusal end

local based_on = revision == '0' and head[1] or head[5] or ''
local number = string.format('%d', tonumber(head[4] or '0') + 1)
redis.call('HSET', KEYS[1], 'draft', ARGV[4], 'draft_revision', number, 'draft_based_on', based_on,
  'draft_saved', stamp, 'draft_operation', ARGV[2])
if not head[1] then
  redis.call('HSET', KEYS[1], 'summary', ARGV[7])
  redis.call('ZADD', KEYS[5], stamp, ARGV[6])
end
if is_new then
  redis.call('HSET', KEYS[1], 'state', 'live', 'created', stamp, 'updated', stamp)
  redis.call('SADD', KEYS[2], ARGV[6])
end
count_documents(keys, more, is_new and 1 or 0)
return {'ok', number, based_on, stamp}
