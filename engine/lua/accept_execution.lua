#!lua
-- Accept an execution: write its record, list it, and note when a hint must be sent again.
-- Refused whole when Redis is full. Called again with the same id it answers as the first time.
-- KEYS: 1 workflow, 2 execution, 3 account's executions, 4 due
-- ARGV: 1 now (0: Redis's clock), 2 execution id, 3 reference, 4 workflow version,
--       5 node statuses, 6 milliseconds until a hint is sent again, then field and value pairs
-- Returns {'ok', created} | {'stale', version} | {'gone'}
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local created = redis.call('HGET', KEYS[2], 'created')
if created then return {'ok', created} end

local head = redis.call('HMGET', KEYS[1], 'version', 'state')
if not head[1] or head[2] == 'deleted' then return {'gone'} end
if head[1] ~= ARGV[4] then return {'stale', head[1]} end

local stamp = string.format('%d', now)
redis.call('HSET', KEYS[2], 'status', 'processing', 'version', ARGV[4], 'statuses', ARGV[5],
  'created', stamp, unpack(ARGV, 7))
redis.call('ZADD', KEYS[3], stamp, ARGV[2])
redis.call('ZADD', KEYS[4], now + tonumber(ARGV[6]), ARGV[3])
return {'ok', stamp}
