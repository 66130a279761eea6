-- Keep an event that started no run, for a while: the newest ones of the account.
local function keep_event(now, member, event)
  redis.call('HSET', KEYS.event_bodies, member, event)
  redis.call('ZADD', KEYS.event_times, string.format('%d', now), member)
  local ended = string.format('%d', now - tonumber(ARGV.body_ms))
  for _, oldest in ipairs({
    redis.call('ZRANGE', KEYS.event_times, '-inf', ended, 'BYSCORE'),
    redis.call('ZRANGE', KEYS.event_times, 0, -1 - tonumber(ARGV.most_bodies)),
  }) do
    for _, each in ipairs(oldest) do
      redis.call('HDEL', KEYS.event_bodies, each)
      redis.call('ZREM', KEYS.event_times, each)
    end
  end
  redis.call('PEXPIRE', KEYS.event_bodies, ARGV.body_ms)
  redis.call('PEXPIRE', KEYS.event_times, ARGV.body_ms)
end
