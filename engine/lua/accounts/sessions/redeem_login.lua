#!lua
-- Turn a login link into a session and delete the link.
-- Called again, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: login, session, accounts, session_record, account_sessions
-- ARGV: now?, account, session_ms (until the session ends), session_id, digest, user_agent,
--       address
-- Returns account id | false
-- Uses: read_now
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)

local known = redis.call('GET', KEYS.session)
if known then return known end
if redis.call('GET', KEYS.login) ~= ARGV.account then return false end
if redis.call('HEXISTS', KEYS.accounts, ARGV.account) == 0 then return false end
redis.call('SET', KEYS.session, ARGV.account, 'PX', ARGV.session_ms)
redis.call('DEL', KEYS.login)
redis.call('HSET', KEYS.session_record, 'account', ARGV.account, 'digest', ARGV.digest,
  'created', stamp, 'used', stamp, 'agent', ARGV.user_agent, 'address', ARGV.address)
redis.call('PEXPIRE', KEYS.session_record, ARGV.session_ms)
redis.call('ZREMRANGEBYSCORE', KEYS.account_sessions, '-inf', stamp)
local ends = string.format('%d', now + tonumber(ARGV.session_ms))
redis.call('ZADD', KEYS.account_sessions, ends, ARGV.session_id)
redis.call('PEXPIRE', KEYS.account_sessions, ARGV.session_ms)
return ARGV.account
