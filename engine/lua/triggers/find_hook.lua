#!lua flags=no-writes
-- Read an enabled inbound webhook by the digest of its token, with its account, the secret that
-- verifies its events and the window of its account's runs.
-- After a lost reply the call is sent again.
-- KEYS: triggers, accounts, secrets, windows
-- ARGV: now?, account_id, id, hook (digest of the token), bucket, window_ms
-- Returns {now, calls in the window, its end, record of the account, sealed secret or '', values of
--         the trigger's fields} | {} without such a trigger
-- Uses: read_now, calls_in_window, trigger_fields
local now = read_now(ARGV.now)
local enabled, hook, secret = unpack(redis.call('HMGET', KEYS.triggers, ARGV.id .. '.enabled',
  ARGV.id .. '.hook', ARGV.id .. '.secret'))
local account = redis.call('HGET', KEYS.accounts, ARGV.account_id)
local sealed = redis.call('HGET', KEYS.secrets, secret or '') or ''
local calls, ends = calls_in_window(ARGV.account_id .. '|' .. ARGV.bucket, now)
local fields = trigger_fields(ARGV.id)
if enabled ~= '1' or hook ~= ARGV.hook or not account then return {} end
return {now, calls, ends, account, sealed, fields}
