#!lua flags=allow-oom
-- Remove an account's record, the last step of its erasure.
-- Called again, the script changes nothing.
-- KEYS: 1 accounts of the partition, 2 audit log
-- ARGV: 1 now (0: Redis's clock), 2 account id, 3 channel of changed accesses, 4 to 9 the act of the
--       audit log
-- Returns 1 | 0 when it was removed before
-- Uses: read_now, add_audit
local keys = {audit = KEYS[2]}
if redis.call('HDEL', KEYS[1], ARGV[2]) == 0 then return 0 end
add_audit(keys, read_now(ARGV[1]), 4)
redis.call('PUBLISH', ARGV[3], ARGV[2])
return 1
