-- Record that something of an account has changed, for readers of the account's events. `change` is
-- the name of the changed object.
local function add_change(now, change)
  redis.call('ZADD', KEYS.changes, string.format('%d', now), change)
  local oldest = string.format('%d', now - tonumber(ARGV.change_ms))
  redis.call('ZREMRANGEBYSCORE', KEYS.changes, '-inf', oldest)
  redis.call('ZREMRANGEBYRANK', KEYS.changes, 0, -tonumber(ARGV.most_changes) - 1)
  redis.call('PEXPIRE', KEYS.changes, ARGV.change_ms)
end
