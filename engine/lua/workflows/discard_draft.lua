#!lua flags=allow-oom
-- Remove the draft of a workflow that has a version.
-- KEYS: workflow, documents, callers (of the account's workflows)
-- ARGV: slug, expected? (revisions between commas; absent: any)
-- Returns {'ok'} | {'conflict', revision} | {'gone'} | {'none'} without a draft
--         | {'only'} when it was never published
-- Uses: count_documents, draft, workflow_calls
local head = redis.call('HMGET', KEYS.workflow, 'state', 'version')
if not head[1] or head[1] == 'deleted' then return {'gone'} end
local revision = current_revision()
if revision == '0' then return {'none'} end
if not is_expected(ARGV.expected, revision) then return {'conflict', revision} end
if not head[2] then return {'only'} end
remove_draft()
replace_calls(ARGV.slug, 'draft_calls', '')
return {'ok'}
