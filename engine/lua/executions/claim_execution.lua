#!lua flags=allow-oom
-- Claim an execution for a worker process and return a fence and the whole record. Refused while
-- other workers hold it, unless they offered work or a retry is due.
-- Called again with the same token, the script returns its first answer.
-- KEYS: 1 execution, 2 due, 3 held by this worker
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 token of this claim, 4 worker id
-- Returns {'claimed', fence, now, fields and values} | {'busy', status} | {'ended'} | {'missing'}
-- Uses: read_now
local now = read_now(ARGV[1])

local function has_due_retry()
  local statuses = redis.call('HGET', KEYS[1], 'statuses')
  for position in string.gmatch(statuses, '()t') do
    local claim = redis.call('HGET', KEYS[1], 'n' .. (position - 1))
    local at = string.match(claim, '^%d+:%d+:(%d+)')
    if tonumber(at) <= now then return true end
  end
  return false
end

local head = redis.call('HMGET', KEYS[1], 'status', 'holders', 'offered', 'started')
local status = head[1]
if not status then
  redis.call('ZREM', KEYS[2], ARGV[2])
  return {'missing'}
end
if status ~= 'processing' and status ~= 'cancel_requested' then
  redis.call('ZREM', KEYS[2], ARGV[2])
  return {'ended'}
end

local mine = redis.call('HGET', KEYS[3], ARGV[2])
if mine then
  local fence, token = string.match(mine, '^(%d+):(.*)$')
  if token ~= ARGV[3] then return {'busy', status} end
  return {'claimed', fence, string.format('%d', now), redis.call('HGETALL', KEYS[1])}
end
local is_held = tonumber(head[2] or '0') > 0
if is_held and head[3] ~= '1' and not has_due_retry() then return {'busy', status} end

local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HINCRBY', KEYS[1], 'holders', 1)
if not head[4] then redis.call('HSET', KEYS[1], 'started', string.format('%d', now)) end
redis.call('HSET', KEYS[1], 'w' .. fence, ARGV[4])
redis.call('HSET', KEYS[3], ARGV[2], fence .. ':' .. ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[2])
return {'claimed', tostring(fence), string.format('%d', now), redis.call('HGETALL', KEYS[1])}
