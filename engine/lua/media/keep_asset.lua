#!lua flags=allow-oom
-- Make an asset visible whose bytes are stored, and count them within the quota of the account's
-- tier.
-- Called again, the script changes nothing.
-- KEYS: 1 asset, 2 assets due, 3 references, 4 assets by account, 5 accounts of the partition,
--       6 bytes of media by account
-- ARGV: 1 now (0: Redis's clock), 2 asset id, 3 milliseconds to keep it, 4 execution that it must
--       outlive ('' none), 5 bytes, 6 number of fields and values, these, then tier and bytes of
--       every limited tier
-- Returns {1} | {} when the upload was abandoned meanwhile
--         | {0, bytes of the account's media without it, quota} beyond the quota
-- Uses: read_now, tier_limit, asset_place
local now = read_now(ARGV[1])
local bytes, behind = tonumber(ARGV[5]), 7 + tonumber(ARGV[6])
local head = redis.call('HMGET', KEYS[1], 'state', 'account', 'created')
if head[1] == 'kept' then return {1} end
if head[1] ~= 'pending' then return {} end
local limit = tier_limit(redis.call('HGET', KEYS[5], head[2]), behind)
local stored = tonumber(redis.call('HGET', KEYS[6], head[2]) or 0)
if limit and stored + bytes > limit then return {0, stored, limit} end

local place = asset_place(head[2], head[3], ARGV[2])
local expires = string.format('%d', now + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'state', 'kept', 'expires', expires, 'bytes', ARGV[5],
  unpack(ARGV, 7, behind - 1))
redis.call('HINCRBY', KEYS[6], head[2], ARGV[5])
redis.call('ZADD', KEYS[4], 0, place)
redis.call('ZADD', KEYS[2], expires, ARGV[2])
if ARGV[4] ~= '' then redis.call('SADD', KEYS[3], ARGV[4]) end
return {1}
