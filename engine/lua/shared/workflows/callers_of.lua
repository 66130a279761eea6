-- Return the first other workflows that call one, in no order, each once.
-- KEYS: callers, as `workflow_calls` writes it.
local MOST_READ = 2000  -- more than the calls of one document, which may be of the workflow itself

local function callers_of(slug, most)
  local found, is_known = {}, {[slug] = true}
  for _, range in ipairs({{'/', '0'}, {'@', 'A'}}) do
    local first, last = '[' .. slug .. range[1], '(' .. slug .. range[2]
    local members = redis.call('ZRANGE', KEYS.callers, first, last, 'BYLEX', 'LIMIT', 0, MOST_READ)
    for _, member in ipairs(members) do
      local caller = string.match(member, '[^/]+$')
      if not is_known[caller] and #found < most then found[#found + 1] = caller end
      is_known[caller] = true
    end
  end
  return found
end
