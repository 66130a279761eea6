#!lua flags=no-writes
-- Read an API key and its account atomically by the digest of the secret. A key that has expired is
-- as unknown as one that is deleted.
-- KEYS: 1 API keys of the partition, 2 accounts of the partition
-- ARGV: 1 now (0: Redis's clock), 2 digest
-- Returns {key record, account record} | false
-- Uses: read_now, owner_of_key
local key = redis.call('HGET', KEYS[1], ARGV[2])
local account_id = owner_of_key(key, read_now(ARGV[1]))
if not account_id then return false end
local account = redis.call('HGET', KEYS[2], account_id)
if not account then return false end
return {key, account}
