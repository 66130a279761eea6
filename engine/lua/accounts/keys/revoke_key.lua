#!lua flags=allow-oom
-- Delete an API key. Its webhook is kept for a while, for executions that the key began.
-- Called again, the script changes nothing.
-- KEYS: 1 account's API keys, 2 API keys of the partition, 3 account's uses of keys, 4 webhook,
--       5 audit log
-- ARGV: 1 now (0: Redis's clock), 2 key id, 3 digest, 4 milliseconds to keep the webhook, 5 account
--       id, 6 channel of changed accesses, 7 to 12 the act of the audit log
-- Returns 1 | 0 when it was deleted before
-- Uses: read_now, add_audit
local keys = {audit = KEYS[5]}
redis.call('HDEL', KEYS[2], ARGV[3])
redis.call('HDEL', KEYS[3], ARGV[2])
if redis.call('HDEL', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('PEXPIRE', KEYS[4], ARGV[4])
add_audit(keys, read_now(ARGV[1]), 7)
redis.call('PUBLISH', ARGV[6], ARGV[5])
return 1
