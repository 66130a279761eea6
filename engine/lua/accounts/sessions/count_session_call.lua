#!lua
-- Read the account of a session, like authorize_session, and count the call in the account's window
-- when its tier has a limit. A call beyond the limit changes nothing.
-- KEYS: session, accounts, windows
-- ARGV: now?, renewal_ms (of remaining life below which the session needs a renewal), bucket,
--       window_ms, cost (calls that this one counts as), limits... (tier and limit of every
--       limited tier)
-- Returns {account record, 1 | 0}, followed, with a limit, by the limit, the calls in this window
--         (one more than the limit: refused), its end and now | false
-- Uses: read_now, tier_limit, count_call
local now = read_now(ARGV.now)

local account_id = redis.call('GET', KEYS.session)
if not account_id then return false end
local account = redis.call('HGET', KEYS.accounts, account_id)
if not account then return false end
local is_due = redis.call('PTTL', KEYS.session) < ARGV.renewal_ms + 0 and 1 or 0

local limit = tier_limit(account)
if not limit then return {account, is_due} end
local field = account_id .. '|' .. ARGV.bucket
local count, ends = count_call(KEYS.windows, field, limit, now, ARGV.window_ms, ARGV.cost)
return {account, is_due, limit, count, ends, string.format('%d', now)}
