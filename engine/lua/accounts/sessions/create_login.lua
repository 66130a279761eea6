#!lua
-- Create a login link.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: accounts, login, audit
-- ARGV: now?, account, login_ms (until the link ends), act*6
-- Returns 1 | 0 without the account
-- Uses: read_now, add_audit
if redis.call('HEXISTS', KEYS.accounts, ARGV.account) == 0 then return 0 end
if redis.call('SET', KEYS.login, ARGV.account, 'PX', ARGV.login_ms, 'NX') then
  add_audit(read_now(ARGV.now))
end
return 1
