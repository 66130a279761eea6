-- Count the end of a run that a canary has served, or the version beside it. `release` is the field
-- of the record: the id of the canary and the side, 'c' or 'l'. The duration, without waits, is
-- counted in a bucket that is 2 % wide. A run of the canary makes a look at its workflow due; any
-- first run of a bucket makes one due in an hour, so that counts are removed in the end.
local BUCKETS_OF_E = 1 / math.log(1.02)
local LOOK_MS = 3600000

local function count_release(now, release, is_failed, started)
  local waited_ms = redis.call('HGET', KEYS.execution, 'waited_ms')
  local duration_ms = math.max(1, now - (started or now) - (waited_ms or 0))
  local bucket = math.floor(math.log(duration_ms) * BUCKETS_OF_E)
  local count = redis.call('HINCRBY', KEYS.canary_counts, release .. ':' .. bucket, 1)
  if is_failed then redis.call('HINCRBY', KEYS.canary_counts, release .. ':failed', 1) end
  local is_own = string.sub(release, -2) == ':c'
  if count > 1 and not is_own then return end
  local at = string.format('%d', is_own and now or now + LOOK_MS)
  redis.call('ZADD', KEYS.open_canaries, 'LT', at, string.match(KEYS.workflow, '[^:]+$'))
  redis.call('ZADD', KEYS.canaries_due, 'LT', at, string.match(ARGV.reference, '^[^/]+'))
end
