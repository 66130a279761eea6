#!lua flags=allow-oom
-- Make an asset visible whose bytes are stored, and count them within the quota of the account's
-- tier.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: asset, assets_due, asset_references, account_assets, accounts, media_bytes (by account)
-- ARGV: now?, asset_id, keep_ms, execution_id? (that it must outlive), bytes, fields... (each with
--       its value), limits... (tier and bytes of every limited tier)
-- Returns {1} | {} when the upload was abandoned meanwhile
--         | {0, bytes of the account's media without it, quota} beyond the quota
-- Uses: read_now, tier_limit, asset_place
local now = read_now(ARGV.now)
local bytes = tonumber(ARGV.bytes)
local head = redis.call('HMGET', KEYS.asset, 'state', 'account', 'created')
if head[1] == 'stored' then return {1} end
if head[1] ~= 'pending' then return {} end
local limit = tier_limit(redis.call('HGET', KEYS.accounts, head[2]))
local stored = tonumber(redis.call('HGET', KEYS.media_bytes, head[2]) or 0)
if limit and stored + bytes > limit then return {0, stored, limit} end

local place = asset_place(head[2], head[3], ARGV.asset_id)
local expires = string.format('%d', now + tonumber(ARGV.keep_ms))
redis.call('HSET', KEYS.asset, 'state', 'stored', 'expires', expires, 'bytes', ARGV.bytes,
  unpack(ARGV, FIRST.fields, LAST.fields))
redis.call('HINCRBY', KEYS.media_bytes, head[2], ARGV.bytes)
redis.call('ZADD', KEYS.account_assets, 0, place)
redis.call('ZADD', KEYS.assets_due, expires, ARGV.asset_id)
if ARGV.execution_id ~= '' then redis.call('SADD', KEYS.asset_references, ARGV.execution_id) end
return {1}
