#!lua
-- Create an API key.
-- Called again, the script changes nothing.
-- KEYS: 1 account's API keys, 2 API keys of the partition, 3 audit log
-- ARGV: 1 now (0: Redis's clock), 2 key id, 3 digest, 4 record, 5 to 10 the act of the audit log
-- Returns 1
-- Uses: read_now, add_audit
local keys = {audit = KEYS[3]}
if redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3]) == 1 then
  redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
  add_audit(keys, read_now(ARGV[1]), 5)
end
return 1
