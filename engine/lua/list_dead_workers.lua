#!lua flags=no-writes
-- The workers whose lease is over.
-- KEYS: 1 workers
-- ARGV: 1 now (0: Redis's clock)
-- Returns their ids
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now))
