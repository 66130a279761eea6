#!lua flags=allow-oom
-- Count a workflow that was saved before documents were counted; one that is counted stays as it is.
-- KEYS: 1 workflow, 2 what the account's documents take
-- Returns 1
-- Uses: count_documents, count_uncounted
local keys = {workflow = KEYS[1], stored = KEYS[2]}
count_uncounted(keys)
return 1
