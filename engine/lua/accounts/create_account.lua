#!lua
-- Create an account.
-- Called again, the script changes nothing.
-- KEYS: 1 accounts of the partition, 2 audit log
-- ARGV: 1 now (0: Redis's clock), 2 account id, 3 record, 4 to 9 the act of the audit log
-- Returns 1
-- Uses: read_now, add_audit
local keys = {audit = KEYS[2]}
if redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3]) == 1 then
  add_audit(keys, read_now(ARGV[1]), 4)
end
return 1
