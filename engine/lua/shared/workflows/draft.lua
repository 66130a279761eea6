-- Draft of a workflow. On the workflow's record: `draft` its document, `draft_saved` when it was
-- written, `draft_based_on` the version that was live when it began, `draft_operation` the last write,
-- and `draft_revision` the number of all writes of drafts, which stays when a draft goes.

-- Return the revision of the draft; 0 without one.
local function current_revision(keys)
  if redis.call('HEXISTS', keys.workflow, 'draft') == 0 then return '0' end
  return redis.call('HGET', keys.workflow, 'draft_revision')
end

-- Return whether a revision is among those expected: '' any, else each between commas.
local function is_expected(expected, revision)
  return expected == '' or string.find(expected, ',' .. revision .. ',', 1, true) ~= nil
end

local function remove_draft(keys)
  count_documents(keys, -redis.call('HSTRLEN', keys.workflow, 'draft'), 0)
  redis.call('HDEL', keys.workflow, 'draft', 'draft_saved', 'draft_based_on')
end
