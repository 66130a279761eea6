-- Count the end of a run that a canary has served, or the version beside it. `release` is the field
-- of the record: the id of the canary and the side, 'c' or 'l'. The duration, without waits, is
-- counted in a bucket that is 2 % wide. A run of the canary makes a look at its workflow due.
local BUCKETS_OF_E = 1 / math.log(1.02)

local function count_release(now, release, is_failed, started)
  local waited_ms = redis.call('HGET', KEYS.execution, 'waited_ms')
  local duration_ms = math.max(1, now - (started or now) - (waited_ms or 0))
  local bucket = math.floor(math.log(duration_ms) * BUCKETS_OF_E)
  redis.call('HINCRBY', KEYS.canary_counts, release .. ':' .. bucket, 1)
  if is_failed then redis.call('HINCRBY', KEYS.canary_counts, release .. ':failed', 1) end
  if string.sub(release, -2) ~= ':c' then return end
  local stamp = string.format('%d', now)
  redis.call('ZADD', KEYS.open_canaries, 'LT', stamp, string.match(KEYS.workflow, '[^:]+$'))
  redis.call('ZADD', KEYS.canaries_due, 'LT', stamp, string.match(ARGV.reference, '^[^/]+'))
end
