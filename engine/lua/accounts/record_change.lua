#!lua flags=allow-oom
-- Record that something of an account has changed, for readers of the account's events.
-- After a lost reply the call is sent again.
-- KEYS: changes (of the account)
-- ARGV: now?, change (name of the changed object), change_ms (for which it is kept), most_changes
--       (to keep)
-- Returns the time
-- Uses: read_now, add_change
local now = read_now(ARGV.now)
add_change(now, ARGV.change)
return string.format('%d', now)
