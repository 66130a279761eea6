#!lua
-- Read an API key and its account by the digest of the secret, like authorize_key, and count the
-- call in the account's window when its tier has a limit. A call beyond the limit changes nothing.
-- KEYS: api_keys, accounts, windows
-- ARGV: now?, digest, bucket, window_ms, cost (calls that this one counts as), limits... (tier and
--       limit of every limited tier)
-- Returns {key record, account record}, followed, with a limit, by the limit, the calls in this
--         window (one more than the limit: refused), its end and now | false
-- Uses: read_now, owner_of_key, tier_limit, count_call
local now = read_now(ARGV.now)

local key = redis.call('HGET', KEYS.api_keys, ARGV.digest)
local account_id = owner_of_key(key, now)
if not account_id then return false end
local account = redis.call('HGET', KEYS.accounts, account_id)
if not account then return false end

local limit = tier_limit(account)
if not limit then return {key, account} end
local field = account_id .. '|' .. ARGV.bucket
local count, ends = count_call(KEYS.windows, field, limit, now, ARGV.window_ms, ARGV.cost)
return {key, account, limit, count, ends, string.format('%d', now)}
