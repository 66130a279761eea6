-- Write the claim of a node that waits until `at` in milliseconds: its attempt goes on with the
-- next claim. `woken` has the nodes whose wait was over before, each between commas.
-- The field `b<index>` keeps the time at which the attempt began.
-- Returns 'woken' for such a node, which is due now.
local function park_node(index, at, now)
  local claim, nodes = claim_of(index), redis.call('HGET', KEYS.execution, 'woken')
  local woken = nodes and string.find(nodes, ',' .. index .. ',', 1, true)
  if woken then
    at = string.format('%d', now)
    redis.call('ZADD', KEYS.due, at, ARGV.reference)
  end
  redis.call('HSET', KEYS.execution, 'n' .. index,
    string.format('0:%d:%s:%s', claim[2] - 1, at, claim[4]))
  redis.call('HSETNX', KEYS.execution, 'b' .. index, claim[3])
  return woken and 'woken'
end
