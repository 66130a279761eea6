#!lua
-- Turn the code of a grant into an API key, once. The code keeps the key's id until its record
-- expires, so that a second use of the code is noticed.
-- Called again for the same key, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: code, accounts, account_api_keys, api_keys
-- ARGV: now?, account, api_key, digest, record
-- Returns 'ok' | 'gone' | 'late' | the id of the key that the code was turned into before
-- Uses: read_now
local code = redis.call('GET', KEYS.code)
if not code then return 'gone' end
local made = string.match(code, '^(key_%w+)|')
if made then return made == ARGV.api_key and 'ok' or made end
if tonumber(string.match(code, '^(%d+)|')) <= read_now(ARGV.now) then return 'late' end
if redis.call('HEXISTS', KEYS.accounts, ARGV.account) == 0 then return 'gone' end

redis.call('SET', KEYS.code, ARGV.api_key .. '|' .. code, 'KEEPTTL')
redis.call('HSET', KEYS.account_api_keys, ARGV.api_key, ARGV.digest)
redis.call('HSET', KEYS.api_keys, ARGV.digest, ARGV.record)
return 'ok'
