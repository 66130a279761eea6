#!lua flags=allow-oom
-- Review an expired asset: extend it while a referrer exists; else hide it and schedule the removal
-- of its bytes after running readers have ended.
-- KEYS: asset, assets_due, asset_references, account_assets, records... (of referrers)
-- ARGV: now?, asset_id, extension_ms, removal_ms (until its bytes may be removed), references...
--       (of those records)
-- Returns 'early' | 'gone' | 'extended' | 'more' with references left to examine | 'hidden'
--         | 'ripe'
-- Uses: read_now, asset_place
local now = read_now(ARGV.now)
local due = redis.call('ZSCORE', KEYS.assets_due, ARGV.asset_id)
if not due then return 'gone' end
if tonumber(due) > now then return 'early' end
local head = redis.call('HMGET', KEYS.asset, 'state', 'account', 'created')
if not head[1] then
  redis.call('ZREM', KEYS.assets_due, ARGV.asset_id)
  return 'gone'
end
if head[1] == 'hidden' then return 'ripe' end

local is_needed = false
for place = FIRST.records, LAST.records do
  if redis.call('EXISTS', KEYS[place]) == 1 then
    is_needed = true
  else
    redis.call('SREM', KEYS.asset_references, ARGV[FIRST.references + place - FIRST.records])
  end
end
if is_needed then
  local expires = string.format('%d', now + tonumber(ARGV.extension_ms))
  redis.call('HSET', KEYS.asset, 'expires', expires)
  redis.call('ZADD', KEYS.assets_due, expires, ARGV.asset_id)
  return 'extended'
end
if redis.call('SCARD', KEYS.asset_references) > 0 then return 'more' end
redis.call('ZREM', KEYS.account_assets, asset_place(head[2], head[3], ARGV.asset_id))
redis.call('HSET', KEYS.asset, 'state', 'hidden')
local removal = string.format('%d', now + tonumber(ARGV.removal_ms))
redis.call('ZADD', KEYS.assets_due, removal, ARGV.asset_id)
return 'hidden'
