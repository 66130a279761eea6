#!lua
-- Save a model's manifest as its next version; so many former ones are kept.
-- Called again with the same operation id it answers as the first time.
-- KEYS: 1 saved models
-- ARGV: 1 now (0: Redis's clock), 2 internal name, 3 operation id,
--       4 expected version ('' any, 'new' none saved), 5 manifest's record, 6 former ones to keep,
--       7 channel
-- Returns {'ok', version, created, updated} | {'conflict', version} | {'taken'} | {'gone'}
-- Uses: read_now
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)
local name = ARGV[2]

local head = redis.call('HMGET', KEYS[1], 'version:' .. name, 'created:' .. name,
  'operation:' .. name)
if head[3] == ARGV[3] then
  return {'ok', head[1], head[2], redis.call('HGET', KEYS[1], 'at:' .. name .. ':' .. head[1])}
end
if ARGV[4] == 'new' and head[2] then return {'taken'} end
if ARGV[4] ~= 'new' and not head[2] then return {'gone'} end
if ARGV[4] ~= '' and ARGV[4] ~= 'new' and ARGV[4] ~= head[1] then return {'conflict', head[1]} end

local number = tonumber(head[1] or '0') + 1
local version = string.format('%d', number)
local created = head[2] or stamp
redis.call('HSET', KEYS[1], 'version:' .. name, version, 'created:' .. name, created,
  'operation:' .. name, ARGV[3], 'at:' .. name .. ':' .. version, stamp,
  'manifest:' .. name .. ':' .. version, ARGV[5])
local oldest = ':' .. name .. ':' .. string.format('%d', number - tonumber(ARGV[6]) - 1)
redis.call('HDEL', KEYS[1], 'at' .. oldest, 'manifest' .. oldest)
redis.call('HINCRBY', KEYS[1], 'generation', 1)
redis.call('PUBLISH', ARGV[7], name)
return {'ok', version, created, stamp}
