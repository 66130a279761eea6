-- Draft of a workflow, on its record KEYS.workflow: `draft` is its document, `draft_saved` the time
-- of its last write, `draft_based_on` the version that was live when it began, `draft_operation`
-- the last write, and `draft_revision` the number of all writes of drafts, which stays when a draft
-- goes.

-- Return the revision of the draft; 0 without one.
local function current_revision()
  if redis.call('HEXISTS', KEYS.workflow, 'draft') == 0 then return '0' end
  return redis.call('HGET', KEYS.workflow, 'draft_revision')
end

-- Return whether a revision is among those expected: '' any, else each between commas.
local function is_expected(expected, revision)
  return expected == '' or string.find(expected, ',' .. revision .. ',', 1, true) ~= nil
end

local function remove_draft()
  count_documents(-redis.call('HSTRLEN', KEYS.workflow, 'draft'), 0)
  redis.call('HDEL', KEYS.workflow, 'draft', 'draft_saved', 'draft_based_on')
end
