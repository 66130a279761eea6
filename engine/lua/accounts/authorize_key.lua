#!lua flags=no-writes
-- Read an API key and its account atomically by the digest of the secret.
-- KEYS: 1 API keys of the partition, 2 accounts of the partition
-- ARGV: 1 digest
-- Returns {key record, account record} | false
local key = redis.call('HGET', KEYS[1], ARGV[1])
if not key then return false end
local account = redis.call('HGET', KEYS[2], string.match(key, '^([^|]+)|'))
if not account then return false end
return {key, account}
