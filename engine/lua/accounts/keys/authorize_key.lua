#!lua flags=no-writes
-- Read an API key and its account atomically by the digest of the secret. A key that has expired is
-- as unknown as one that is deleted.
-- After a lost reply the call is sent again.
-- KEYS: api_keys (of the partition), accounts
-- ARGV: now?, digest
-- Returns {key record, account record} | false
-- Uses: read_now, owner_of_key
local key = redis.call('HGET', KEYS.api_keys, ARGV.digest)
local account_id = owner_of_key(key, read_now(ARGV.now))
if not account_id then return false end
local account = redis.call('HGET', KEYS.accounts, account_id)
if not account then return false end
return {key, account}
