#!lua
-- Add a delivery that belongs to no execution, due at once.
-- Called again it changes nothing.
-- KEYS: 1 delivery, 2 deliveries due, 3 deliveries of the webhook
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 delivery id, 4 key id, 5 url, 6 event, 7 body,
--       8 milliseconds it is kept, 9 milliseconds until a hint is sent again
-- Returns created
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local stamp = string.format('%d', now)

local created = redis.call('HGET', KEYS[1], 'created')
if created then return created end
redis.call('HSET', KEYS[1], 'status', 'pending', 'key', ARGV[4], 'url', ARGV[5],
  'event', ARGV[6], 'body', ARGV[7], 'created', stamp, 'next', stamp)
redis.call('PEXPIRE', KEYS[1], ARGV[8])
redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(ARGV[9])), ARGV[2])
local old = redis.call('ZRANGE', KEYS[3], '-inf', string.format('%d', now - tonumber(ARGV[8])),
  'BYSCORE', 'LIMIT', 0, 10)
if #old > 0 then redis.call('ZREM', KEYS[3], unpack(old)) end
redis.call('ZADD', KEYS[3], stamp, ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[8])
return stamp
