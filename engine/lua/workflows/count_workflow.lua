#!lua flags=allow-oom
-- Count a workflow that predates the count of documents. A counted workflow does not change.
-- KEYS: 1 workflow, 2 counters of the account's documents
-- Returns 1
-- Uses: count_documents, count_uncounted
local keys = {workflow = KEYS[1], stored = KEYS[2]}
count_uncounted(keys)
return 1
