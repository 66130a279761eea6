-- Return a node's claim on record as {owner's fence, calls, time, lost calls}, texts of whole
-- numbers.
-- A claim is read once.
local claims, UNCLAIMED = {}, {'0', '0', '0', '0'}
local function claim_of(index)
  local claim = claims[index]
  if not claim then
    local text = redis.call('HGET', KEYS.execution, 'n' .. index)
    claim = text and {string.match(text, '^(%d+):(%d+):(%d+):(%d+)$')} or UNCLAIMED
    claims[index] = claim
  end
  return claim
end
