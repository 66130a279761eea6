#!lua
-- Accept an execution: write its record, list it, and note when a hint must be sent again.
-- Refused whole when Redis is full. Called again with the same id it answers as the first time.
-- A call with an idempotency key that was used before changes nothing and is told of the first.
-- KEYS: 1 workflow, 2 execution, 3 account's executions, 4 due, 5 account's active executions,
--       6 idempotency record, and if the call was authorized ahead, 7 its pass
-- ARGV: 1 now (0: Redis's clock), 2 execution id, 3 reference, 4 workflow version,
--       5 node statuses, 6 milliseconds until a hint is sent again, 7 most active at once ('' any),
--       8 fingerprint of the body ('' without an idempotency key), 9 the answer if it is known
--       already, 10 milliseconds to keep the idempotency record, then field and value pairs
-- Returns {'ok', created, active} | {'repeated', fingerprint, execution id, answer or ''}
--         | {'stale', version} | {'gone'} | {'busy', active} | {'refused'} without its pass
-- Uses: read_now
local now = read_now(ARGV[1])

local created = redis.call('HGET', KEYS[2], 'created')
local active = redis.call('SCARD', KEYS[5])
if created then return {'ok', created, active} end
if KEYS[7] and redis.call('EXISTS', KEYS[7]) == 0 then return {'refused'} end

local is_once = ARGV[8] ~= ''
if is_once then
  local first = redis.call('HMGET', KEYS[6], 'fingerprint', 'execution', 'answer')
  if first[1] then return {'repeated', first[1], first[2], first[3] or ''} end
end

local head = redis.call('HMGET', KEYS[1], 'version', 'state')
if not head[1] or head[2] == 'deleted' then return {'gone'} end
if head[1] ~= ARGV[4] then return {'stale', head[1]} end
if ARGV[7] ~= '' and active >= tonumber(ARGV[7]) then return {'busy', active} end

local stamp = string.format('%d', now)
redis.call('HSET', KEYS[2], 'status', 'processing', 'version', ARGV[4], 'statuses', ARGV[5],
  'created', stamp, unpack(ARGV, 11))
redis.call('ZADD', KEYS[3], stamp, ARGV[2])
redis.call('ZADD', KEYS[4], now + tonumber(ARGV[6]), ARGV[3])
redis.call('SADD', KEYS[5], ARGV[2])
if KEYS[7] then redis.call('DEL', KEYS[7]) end
if is_once then
  redis.call('HSET', KEYS[6], 'fingerprint', ARGV[8], 'execution', ARGV[2])
  if ARGV[9] ~= '' then redis.call('HSET', KEYS[6], 'answer', ARGV[9]) end
  redis.call('PEXPIRE', KEYS[6], ARGV[10])
end
return {'ok', stamp, active + 1}
