#!lua
-- Save a secret of an account, unless it would be one too many. The sealed form of a value is
-- always the same, so that the same value again changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: secrets, audit
-- ARGV: now?, name, sealed, most (secrets), hosts? (to which the value is sent, '-' any, absent:
--       as before), act*6 (its before is the after if there was a value)
-- Returns {'ok', created, updated, hosts, '' for any} | {'full', number of secrets}
-- Uses: read_now, add_audit
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)
local name, created, updated = ARGV.name, ARGV.name .. '.created', ARGV.name .. '.updated'

local saved, saved_created, saved_updated, saved_hosts =
  unpack(redis.call('HMGET', KEYS.secrets, name, created, updated, name .. '.hosts'))
saved_hosts = saved_hosts or ''
local hosts = ARGV.hosts == '' and saved_hosts or ARGV.hosts == '-' and '' or ARGV.hosts
if saved == ARGV.sealed and saved_hosts == hosts then
  return {'ok', saved_created, saved_updated, hosts}
end
if not saved then
  local count = 0
  for _, field in ipairs(redis.call('HKEYS', KEYS.secrets)) do
    if not string.find(field, '.', 1, true) then count = count + 1 end
  end
  if count >= tonumber(ARGV.most) then return {'full', string.format('%d', count)} end
end

local first = saved_created or stamp
redis.call('HSET', KEYS.secrets, name, ARGV.sealed, created, first, updated, stamp)
if hosts == '' then
  redis.call('HDEL', KEYS.secrets, name .. '.hosts')
else
  redis.call('HSET', KEYS.secrets, name .. '.hosts', hosts)
end
add_audit(now, saved and ARGV[LAST.act] or 'null')
return {'ok', first, stamp, hosts}
