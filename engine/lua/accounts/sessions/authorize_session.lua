#!lua flags=no-writes
-- Read the account of a session, and whether the session needs a renewal, atomically.
-- After a lost reply the call is sent again.
-- KEYS: session, accounts
-- ARGV: renewal_ms (of remaining life below which the session needs a renewal)
-- Returns {account record, 1 | 0} | false
local account_id = redis.call('GET', KEYS.session)
if not account_id then return false end
local account = redis.call('HGET', KEYS.accounts, account_id)
if not account then return false end
local is_due = redis.call('PTTL', KEYS.session) < ARGV.renewal_ms + 0
return {account, is_due and 1 or 0}
