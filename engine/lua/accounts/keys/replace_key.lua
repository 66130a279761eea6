#!lua
-- Replace an API key's record unless it has changed since it was read.
-- Called again, the script returns its first answer.
-- KEYS: 1 account's API keys, 2 API keys of the partition
-- ARGV: 1 now (0: Redis's clock), 2 key id, 3 digest, 4 record as it was read, 5 new record,
--       6 new expiry in milliseconds ('' for none or no change), 7 account id, 8 channel of changed
--       accesses
-- Returns 'ok' | 'missing' | 'changed' | 'late' when the expiry is over
-- Uses: read_now
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[3] then return 'missing' end
local record = redis.call('HGET', KEYS[2], ARGV[3])
if record == ARGV[5] then return 'ok' end
if record ~= ARGV[4] then return 'changed' end
if ARGV[6] ~= '' and tonumber(ARGV[6]) <= read_now(ARGV[1]) then return 'late' end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[5])
redis.call('PUBLISH', ARGV[8], ARGV[7])
return 'ok'
