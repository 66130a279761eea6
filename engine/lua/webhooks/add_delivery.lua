#!lua
-- Add a delivery without an execution, due at once.
-- Called again, the script changes nothing.
-- KEYS: 1 delivery, 2 deliveries due, 3 deliveries of the webhook
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 delivery id, 4 key id, 5 url, 6 event, 7 body,
--       8 milliseconds to keep it, 9 milliseconds until a hint is repeated
-- Returns the creation time
-- Uses: read_now, list_delivery
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)

local created = redis.call('HGET', KEYS[1], 'created')
if created then return created end
redis.call('HSET', KEYS[1], 'status', 'pending', 'key', ARGV[4], 'url', ARGV[5],
  'event', ARGV[6], 'body', ARGV[7], 'created', stamp, 'next', stamp)
local keys = {delivery = KEYS[1], due = KEYS[2], listed = KEYS[3]}
list_delivery(keys, ARGV[2], ARGV[3], now, ARGV[8], ARGV[9])
return stamp
