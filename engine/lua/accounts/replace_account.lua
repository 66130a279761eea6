#!lua flags=allow-oom
-- Replace an account's record unless it has changed since it was read. The last admin stays one: an
-- admin loses the role if the partition has another, or if another partition guarantees an admin
-- and this one does not.
-- Called again, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: accounts, admin_guarantees, audit
-- ARGV: now?, account, record (as it was read), new_record, guaranteed_until (time in milliseconds
--       until which another partition guarantees an admin, 0: none does), access_changes (channel),
--       act*6
-- Returns 'ok' | 'changed' when the record has changed or is deleted | 'last'
-- Uses: read_now, has_admin, add_audit
local now = read_now(ARGV.now)

local record = redis.call('HGET', KEYS.accounts, ARGV.account)
if record == ARGV.new_record then return 'ok' end
if record ~= ARGV.record then return 'changed' end
local is_admin = string.sub(record, 1, 6) == 'admin|'
local loses_role = is_admin and string.sub(ARGV.new_record, 1, 6) ~= 'admin|'
if loses_role and not has_admin(ARGV.account) then
  local guarantees = redis.call('ZCOUNT', KEYS.admin_guarantees, string.format('(%d', now), '+inf')
  if guarantees > 0 or now >= tonumber(ARGV.guaranteed_until) then return 'last' end
end
redis.call('HSET', KEYS.accounts, ARGV.account, ARGV.new_record)
add_audit(now)
redis.call('PUBLISH', ARGV.access_changes, ARGV.account)
return 'ok'
