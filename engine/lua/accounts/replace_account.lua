#!lua flags=allow-oom
-- Replace an account's record unless it has changed since it was read. The last admin stays one: an
-- admin loses the role if the partition has another, or if one of another partition is pinned and
-- none is pinned here.
-- Called again, the script returns its first answer.
-- KEYS: 1 accounts of the partition, 2 pins of its admins, 3 audit log
-- ARGV: 1 now (0: Redis's clock), 2 account id, 3 record as it was read, 4 new record, 5 time in
--       milliseconds until which an admin is pinned elsewhere (0: none is), 6 channel of changed
--       accesses, 7 to 12 the act of the audit log
-- Returns 'ok' | 'changed' when the record has changed or is deleted | 'last'
-- Uses: read_now, has_admin, add_audit
local now = read_now(ARGV[1])
local keys = {accounts = KEYS[1], audit = KEYS[3]}

local record = redis.call('HGET', KEYS[1], ARGV[2])
if record == ARGV[4] then return 'ok' end
if record ~= ARGV[3] then return 'changed' end
local loses_role = string.sub(record, 1, 6) == 'admin|' and string.sub(ARGV[4], 1, 6) ~= 'admin|'
if loses_role and not has_admin(keys, ARGV[2]) then
  local is_pinned = redis.call('ZCOUNT', KEYS[2], string.format('(%d', now), '+inf') > 0
  if is_pinned or now >= tonumber(ARGV[5]) then return 'last' end
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[4])
add_audit(keys, now, 7)
redis.call('PUBLISH', ARGV[6], ARGV[2])
return 'ok'
