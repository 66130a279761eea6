#!lua flags=allow-oom
-- Delete a secret of an account.
-- Called again, the script changes nothing.
-- KEYS: secrets, audit
-- ARGV: now?, name, act*6
-- Returns 1 | 0 without the secret
-- Uses: read_now, add_audit
local name = ARGV.name
local fields = {name, name .. '.created', name .. '.updated', name .. '.hosts'}
if redis.call('HDEL', KEYS.secrets, unpack(fields)) == 0 then return 0 end
add_audit(read_now(ARGV.now))
return 1
