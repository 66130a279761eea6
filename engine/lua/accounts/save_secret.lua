#!lua
-- Save a secret of an account, unless it would be one too many. The sealed form of a value is always
-- the same, so that the same value again changes nothing.
-- KEYS: 1 account's secrets, 2 audit log
-- ARGV: 1 now (0: Redis's clock), 2 name, 3 sealed value, 4 most secrets, 5 the hosts that it is sent
--       to ('-' any, '' as before), 6 to 11 the act of the audit log, whose before is the after if
--       there was a value
-- Returns {'ok', created, updated, hosts, '' for any} | {'full', number of secrets}
-- Uses: read_now, add_audit
local keys = {audit = KEYS[2]}
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)
local name, created, updated = ARGV[2], ARGV[2] .. '.created', ARGV[2] .. '.updated'

local kept = redis.call('HMGET', KEYS[1], name, created, updated, name .. '.hosts')
local hosts = ARGV[5] == '' and (kept[4] or '') or ARGV[5] == '-' and '' or ARGV[5]
if kept[1] == ARGV[3] and (kept[4] or '') == hosts then return {'ok', kept[2], kept[3], hosts} end
if not kept[1] then
  local count = 0
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if not string.find(field, '.', 1, true) then count = count + 1 end
  end
  if count >= tonumber(ARGV[4]) then return {'full', string.format('%d', count)} end
end

local first = kept[2] or stamp
redis.call('HSET', KEYS[1], name, ARGV[3], created, first, updated, stamp)
if hosts == '' then
  redis.call('HDEL', KEYS[1], name .. '.hosts')
else
  redis.call('HSET', KEYS[1], name .. '.hosts', hosts)
end
add_audit(keys, now, 6, kept[1] and ARGV[11] or 'null')
return {'ok', first, stamp, hosts}
