#!lua flags=allow-oom
-- Record the time of a session's use, and extend the session if asked to.
-- After a lost reply the call is sent again.
-- KEYS: session, session_record, account_sessions
-- ARGV: now?, account, session_id, digest, session_ms (until the session ends), must_extend ('1'
--       or '')
-- Returns 1 | 0 when the session has ended
-- Uses: read_now
if redis.call('GET', KEYS.session) ~= ARGV.account then return 0 end
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)

if ARGV.must_extend == '1' then redis.call('PEXPIRE', KEYS.session, ARGV.session_ms) end
local left = redis.call('PTTL', KEYS.session)
redis.call('HSETNX', KEYS.session_record, 'created', stamp)
redis.call('HSET', KEYS.session_record, 'account', ARGV.account, 'digest', ARGV.digest,
  'used', stamp)
redis.call('PEXPIRE', KEYS.session_record, left)
redis.call('ZADD', KEYS.account_sessions, string.format('%d', now + left), ARGV.session_id)
redis.call('PEXPIRE', KEYS.account_sessions, ARGV.session_ms)
return 1
