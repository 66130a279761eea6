#!lua
-- Add an asset that nobody sees yet: its bytes are about to come.
-- Called again it changes nothing.
-- KEYS: 1 asset, 2 assets due
-- ARGV: 1 now (0: Redis's clock), 2 asset id, 3 account id, 4 source, 5 milliseconds until it is
--       given up
-- Returns created
-- Uses: read_now
local now = read_now(ARGV[1])
local created = redis.call('HGET', KEYS[1], 'created')
if created then return created end
local stamp = string.format('%d', now)
redis.call('HSET', KEYS[1], 'account', ARGV[3], 'source', ARGV[4], 'state', 'pending',
  'created', stamp)
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[5]), ARGV[2])
return stamp
