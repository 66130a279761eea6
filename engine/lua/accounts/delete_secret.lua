#!lua flags=allow-oom
-- Delete a secret of an account.
-- Called again, the script changes nothing.
-- KEYS: 1 account's secrets, 2 audit log
-- ARGV: 1 now (0: Redis's clock), 2 name, 3 to 8 the act of the audit log
-- Returns 1 | 0 without the secret
-- Uses: read_now, add_audit
local keys = {audit = KEYS[2]}
local name = ARGV[2]
if redis.call('HDEL', KEYS[1], name, name .. '.created', name .. '.updated', name .. '.hosts') == 0 then
  return 0
end
add_audit(keys, read_now(ARGV[1]), 3)
return 1
