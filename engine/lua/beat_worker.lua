#!lua flags=allow-oom
-- Renew a worker's lease on everything it holds.
-- KEYS: 1 workers
-- ARGV: 1 now (0: Redis's clock), 2 worker id, 3 lease in milliseconds
-- Returns now
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
redis.call('ZADD', KEYS[1], string.format('%d', now + tonumber(ARGV[3])), ARGV[2])
return string.format('%d', now)
