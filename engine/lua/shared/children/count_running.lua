-- Count a child at its root as running, or not while it waits for its own children. `counted` on
-- its record says whether it is. A root of which nothing is left but waits is not active.
local function count_running(runs, now)
  local counted = redis.call('HGET', KEYS.execution, 'counted') == '1'
  if runs == counted or redis.call('EXISTS', KEYS.root) == 0 then return end
  redis.call('HSET', KEYS.execution, 'counted', runs and '1' or '0')
  redis.call('HINCRBY', KEYS.root, 'children_running', runs and 1 or -1)
  if not redis.call('HGET', KEYS.root, 'waited') then return end
  -- Uses: only_waiting, begin_only_waiting
  if runs then end_only_waiting(KEYS.root, now) else begin_only_waiting(KEYS.root, now) end
end
