-- Remove skipped events of a trigger beyond the newest ones.
local function trim_skipped()
  local oldest = redis.call('ZRANGE', KEYS.skipped, 0, -1 - tonumber(ARGV.most_skipped))
  for _, id in ipairs(oldest) do
    redis.call('HDEL', KEYS.occurrences, id)
    redis.call('HDEL', KEYS.event_bodies, ARGV.trigger .. '/' .. id)
    redis.call('ZREM', KEYS.event_times, ARGV.trigger .. '/' .. id)
    redis.call('ZREM', KEYS.skipped, id)
  end
end
