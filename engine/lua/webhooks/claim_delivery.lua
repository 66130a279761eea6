#!lua flags=allow-oom
-- Claim a delivery for one attempt and return a fence, a lease, and the records of the delivery and
-- its webhook. Refused before its time, during another attempt's lease, and for another URL than
-- the caller's.
-- Called again with the same token, the script returns its first answer.
-- KEYS: 1 delivery, 2 deliveries due, 3 webhook
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 token of this claim, 4 lease in milliseconds,
--       5 URL
-- Returns {'claimed', now, delivery's fields and values, webhook's} | {'busy'} | {'ended'}
--         | {'missing'} | {'moved'}
-- Uses: read_now
local now = read_now(ARGV[1])

local head = redis.call('HMGET', KEYS[1], 'status', 'next', 'token', 'url')
if head[1] ~= 'pending' then
  redis.call('ZREM', KEYS[2], ARGV[2])
  return {head[1] and 'ended' or 'missing'}
end
if head[3] ~= ARGV[3] then
  if tonumber(head[2]) > now then return {'busy'} end
  if head[4] ~= ARGV[5] then return {'moved'} end
  local ends = string.format('%d', now + tonumber(ARGV[4]))
  redis.call('HINCRBY', KEYS[1], 'fence', 1)
  redis.call('HSET', KEYS[1], 'token', ARGV[3], 'next', ends)
  redis.call('ZADD', KEYS[2], ends, ARGV[2])
end
return {'claimed', string.format('%d', now), redis.call('HGETALL', KEYS[1]),
  redis.call('HGETALL', KEYS[3])}
