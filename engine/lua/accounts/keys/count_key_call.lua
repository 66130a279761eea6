#!lua
-- Read an API key and its account by the digest of the secret, like authorize_key, and count the
-- call in the account's window when its tier has a limit. A call beyond the limit changes nothing.
-- KEYS: 1 API keys of the partition, 2 accounts of the partition, 3 windows of the partition
-- ARGV: 1 now (0: Redis's clock), 2 digest, 3 bucket, 4 length of a window in milliseconds, 5
--       calls that this one counts as, then tier and limit of every limited tier
-- Returns {key record, account record}, followed, with a limit, by the limit, the calls in this
--         window (one more than the limit: refused), its end and now | false
-- Uses: read_now, owner_of_key, tier_limit, count_call
local now = read_now(ARGV[1])

local key = redis.call('HGET', KEYS[1], ARGV[2])
local account_id = owner_of_key(key, now)
if not account_id then return false end
local account = redis.call('HGET', KEYS[2], account_id)
if not account then return false end

local limit = tier_limit(account, 6)
if not limit then return {key, account} end
local field = account_id .. '|' .. ARGV[3]
local count, ends = count_call(KEYS[3], field, limit, now, ARGV[4], ARGV[5])
return {key, account, limit, count, ends, string.format('%d', now)}
