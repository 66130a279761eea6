#!lua
-- Write the document of the live version anew, with other members around the same graph; no version
-- is made. Called again with the same operation id, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: workflow, documents, accounts, workflows_by_time
-- ARGV: now?, operation, expected (version), former_operation? (of the save that was read),
--       document, account, slug, summary (of the document), limits... (tier and 'workflows:bytes'
--       of every tier, each empty without a limit)
-- Returns {'ok', version, created, updated} | {'conflict', version} | {'gone'}
--         | {'full', 'bytes', used, limit}
-- Uses: read_now, count_documents, document_limits
local stamp = string.format('%d', read_now(ARGV.now))

local version, state, created, updated, operation = unpack(redis.call('HMGET', KEYS.workflow,
  'version', 'state', 'created', 'updated', 'operation'))
if operation == ARGV.operation then return {'ok', version, created, updated} end
if not version or state == 'deleted' then return {'gone'} end
if version ~= ARGV.expected or (operation or '') ~= ARGV.former_operation then
  return {'conflict', version}
end

local more = #ARGV.document - redis.call('HSTRLEN', KEYS.workflow, 'd' .. version)
local refusal = document_limits(more, false)
if refusal then return refusal end

redis.call('HSET', KEYS.workflow, 'd' .. version, ARGV.document, 'updated', stamp,
  'operation', ARGV.operation, 'summary', ARGV.summary)
redis.call('ZADD', KEYS.workflows_by_time, stamp, ARGV.slug)
count_documents(more, 0)
return {'ok', version, created, stamp}
