#!lua
-- Create a login link.
-- Called again, the script changes nothing.
-- KEYS: 1 accounts of the partition, 2 login link, 3 audit log
-- ARGV: 1 now (0: Redis's clock), 2 account id, 3 milliseconds until the link ends, 4 to 9 the act of
--       the audit log
-- Returns 1 | 0 without the account
-- Uses: read_now, add_audit
local keys = {audit = KEYS[3]}
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 0 end
if redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3], 'NX') then
  add_audit(keys, read_now(ARGV[1]), 4)
end
return 1
