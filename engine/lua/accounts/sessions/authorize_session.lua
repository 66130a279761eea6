#!lua flags=no-writes
-- Read the account of a session, and whether the session needs a renewal, atomically.
-- KEYS: 1 session, 2 accounts of the partition
-- ARGV: 1 milliseconds of remaining life below which the session needs a renewal
-- Returns {account record, 1 | 0} | false
local account_id = redis.call('GET', KEYS[1])
if not account_id then return false end
local account = redis.call('HGET', KEYS[2], account_id)
if not account then return false end
local is_due = redis.call('PTTL', KEYS[1]) < ARGV[1] + 0
return {account, is_due and 1 or 0}
