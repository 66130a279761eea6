#!lua flags=allow-oom
-- Add an asset that nobody sees yet: its bytes are about to come. When the account's media take all
-- that its tier allows, nothing is added.
-- Called again it changes nothing.
-- A full Redis lets it through, for executions that were accepted make media: uploads are counted before,
-- which it refuses.
-- KEYS: 1 asset, 2 assets due, 3 accounts of the partition, 4 bytes of media by account
-- ARGV: 1 now (0: Redis's clock), 2 asset id, 3 account id, 4 source, 5 milliseconds until it is
--       given up, then tier and bytes of every tier that has a limit
-- Returns {1, or 0 when there is no room, bytes of the account's media} and behind it, when there
--         is one, the limit
-- Uses: read_now, tier_limit
local now = read_now(ARGV[1])
local limit = tier_limit(redis.call('HGET', KEYS[3], ARGV[3]), 6)
local stored = tonumber(redis.call('HGET', KEYS[4], ARGV[3]) or 0)
if redis.call('EXISTS', KEYS[1]) == 0 then
  if limit and stored >= limit then return {0, stored, limit} end
  redis.call('HSET', KEYS[1], 'account', ARGV[3], 'source', ARGV[4], 'state', 'pending',
    'created', string.format('%d', now))
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[5]), ARGV[2])
end
return {1, stored, limit}
