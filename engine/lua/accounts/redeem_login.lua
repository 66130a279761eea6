#!lua
-- Turn a login link into a session and delete the link.
-- Called again, the script returns its first answer.
-- KEYS: 1 login link, 2 session, 3 accounts of the partition
-- ARGV: 1 milliseconds until the session ends
-- Returns account id | false
local known = redis.call('GET', KEYS[2])
if known then return known end
local account_id = redis.call('GET', KEYS[1])
if not account_id then return false end
if redis.call('HEXISTS', KEYS[3], account_id) == 0 then return false end
redis.call('SET', KEYS[2], account_id, 'PX', ARGV[1])
redis.call('DEL', KEYS[1])
return account_id
