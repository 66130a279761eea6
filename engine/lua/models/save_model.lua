#!lua
-- Save a model's manifest as its next version. The number of former versions, of models, and of
-- deleted models with versions is limited.
-- Called again with the same operation id, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: models, audit
-- ARGV: now?, model, operation, expected? (version, 'new' none saved, absent: any), manifest
--       (record), most_former (versions to keep), changes (channel), most_models, act*6 (its before
--       and after are the versions)
-- Returns {'ok', version, created, updated} | {'conflict', version} | {'taken'} | {'gone'}
--         | {'full'}
-- Uses: read_now, add_audit
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)
local name = ARGV.model

local head = redis.call('HMGET', KEYS.models, 'version:' .. name, 'created:' .. name,
  'operation:' .. name)
if head[3] == ARGV.operation then
  return {'ok', head[1], head[2], redis.call('HGET', KEYS.models, 'at:' .. name .. ':' .. head[1])}
end
if ARGV.expected == 'new' and head[2] then return {'taken'} end
if ARGV.expected ~= 'new' and not head[2] then return {'gone'} end
local is_expected = ARGV.expected == '' or ARGV.expected == 'new' or ARGV.expected == head[1]
if not is_expected then return {'conflict', head[1]} end

local forgotten = {}
if not head[2] then
  -- Uses: forgotten_model
  forgotten = forgotten_model(name, tonumber(ARGV.most_models))
  if not forgotten then return {'full'} end
end

if #forgotten > 0 then redis.call('HDEL', KEYS.models, unpack(forgotten)) end
local number = tonumber(head[1] or '0') + 1
local version = string.format('%d', number)
local created = head[2] or stamp
redis.call('HSET', KEYS.models, 'version:' .. name, version, 'created:' .. name, created,
  'operation:' .. name, ARGV.operation, 'at:' .. name .. ':' .. version, stamp,
  'manifest:' .. name .. ':' .. version, ARGV.manifest)
local oldest = ':' .. name .. ':' .. string.format('%d', number - tonumber(ARGV.most_former) - 1)
redis.call('HDEL', KEYS.models, 'at' .. oldest, 'manifest' .. oldest)
redis.call('HINCRBY', KEYS.models, 'generation', 1)
redis.call('PUBLISH', ARGV.changes, name)
local before = head[2] and string.format('{"version":%d}', head[1]) or 'null'
add_audit(now, before, string.format('{"version":%d}', version))
return {'ok', version, created, stamp}
