#!lua flags=allow-oom
-- Remove the draft of a workflow that has a version.
-- KEYS: 1 workflow, 2 counters of the account's documents
-- ARGV: 1 expected revisions between commas ('' any)
-- Returns {'ok'} | {'conflict', revision} | {'gone'} | {'none'} without a draft
--         | {'only'} when it was never published
-- Uses: count_documents, draft
local keys = {workflow = KEYS[1], stored = KEYS[2]}
local head = redis.call('HMGET', KEYS[1], 'state', 'version')
if not head[1] or head[1] == 'deleted' then return {'gone'} end
local revision = current_revision(keys)
if revision == '0' then return {'none'} end
if not is_expected(ARGV[1], revision) then return {'conflict', revision} end
if not head[2] then return {'only'} end
remove_draft(keys)
return {'ok'}
