#!lua
-- Read the account of a session, like authorize_session, and count the call in the account's window
-- when its tier has a limit. A call beyond the limit changes nothing.
-- KEYS: 1 session, 2 accounts of the partition, 3 windows of the partition
-- ARGV: 1 now (0: Redis's clock), 2 milliseconds of remaining life below which the session needs a
--       renewal, 3 bucket, 4 length of a window in milliseconds, 5 calls that this one counts as,
--       then tier and limit of every limited tier
-- Returns {account record, 1 | 0}, followed, with a limit, by the limit, the calls in this window
--         (one more than the limit: refused), its end and now | false
-- Uses: read_now, tier_limit, count_call
local now = read_now(ARGV[1])

local account_id = redis.call('GET', KEYS[1])
if not account_id then return false end
local account = redis.call('HGET', KEYS[2], account_id)
if not account then return false end
local is_due = redis.call('PTTL', KEYS[1]) < ARGV[2] + 0 and 1 or 0

local limit = tier_limit(account, 6)
if not limit then return {account, is_due} end
local field = account_id .. '|' .. ARGV[3]
local count, ends = count_call(KEYS[3], field, limit, now, ARGV[4], ARGV[5])
return {account, is_due, limit, count, ends, string.format('%d', now)}
