#!lua flags=allow-oom
-- Add a hidden asset whose bytes will be stored, unless the account's quota is used up. A full
-- Redis still accepts it, since accepted executions make media; uploads are refused before, when
-- their call is counted.
-- Called again, the script changes nothing.
-- KEYS: 1 asset, 2 assets due, 3 accounts of the partition, 4 bytes of media by account
-- ARGV: 1 now (0: Redis's clock), 2 asset id, 3 account id, 4 source, 5 milliseconds until an
--       incomplete upload is removed, then tier and bytes of every limited tier
-- Returns {1, or 0 beyond the quota, bytes of the account's media}, followed by the quota, if any
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
