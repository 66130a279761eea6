#!lua
-- Create an account.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: accounts, audit
-- ARGV: now?, account, record, act*6
-- Returns 1
-- Uses: read_now, add_audit
if redis.call('HSETNX', KEYS.accounts, ARGV.account, ARGV.record) == 1 then
  add_audit(read_now(ARGV.now))
end
return 1
