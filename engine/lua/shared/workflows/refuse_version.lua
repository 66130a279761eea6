-- Return the refusal of a version to begin with, or nothing. `kind` is '' for the live version,
-- 'named' or 'aside' for one that need not be live. `live` and `state` are
-- fields of the workflow's record.
local function refuse_version(workflow, number, kind, live, state)
  if not live or state == 'deleted' then return {'gone'} end
  if live == number then return end
  if kind ~= 'named' and kind ~= 'aside' then return {'stale', live} end
  if redis.call('HEXISTS', workflow, 'd' .. number) == 0 then return {'no_document'} end
end
