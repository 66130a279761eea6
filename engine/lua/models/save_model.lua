#!lua
-- Save a model's manifest as its next version. The number of former versions, of models, and of
-- deleted models with versions is limited.
-- Called again with the same operation id, the script returns its first answer.
-- KEYS: 1 saved models, 2 audit log
-- ARGV: 1 now (0: Redis's clock), 2 internal name, 3 operation id, 4 expected version ('' any,
--       'new' none saved), 5 manifest's record, 6 former versions to keep, 7 channel, 8 most models,
--       9 to 14 the act of the audit log, whose before and after are the versions
-- Returns {'ok', version, created, updated} | {'conflict', version} | {'taken'} | {'gone'} | {'full'}
-- Uses: read_now, add_audit
local keys = {audit = KEYS[2]}
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

local forgotten = {}
if not head[2] then
  local most, live, deleted, fields = tonumber(ARGV[8]), {}, {}, redis.call('HKEYS', KEYS[1])
  local count, gone, oldest, oldest_at = 0, 0, nil, math.huge
  for _, field in ipairs(fields) do
    local member, other = string.match(field, '^(%l+):([^:]+)$')
    if member == 'created' then count, live[other] = count + 1, true end
    if member == 'version' and other ~= name then deleted[#deleted + 1] = other end
  end
  if count >= most then return {'full'} end
  for _, other in ipairs(deleted) do
    if not live[other] then
      local last = redis.call('HGET', KEYS[1], 'version:' .. other)
      local at = tonumber(redis.call('HGET', KEYS[1], 'at:' .. other .. ':' .. last) or '0')
      gone = gone + 1
      if at < oldest_at then oldest, oldest_at = other, at end
    end
  end
  for _, field in ipairs(gone > most and fields or {}) do
    if string.match(field, '^%l+:([^:]+)') == oldest then forgotten[#forgotten + 1] = field end
  end
end

if #forgotten > 0 then redis.call('HDEL', KEYS[1], unpack(forgotten)) end
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
local before = head[2] and string.format('{"version":%d}', head[1]) or 'null'
add_audit(keys, now, 9, before, string.format('{"version":%d}', version))
return {'ok', version, created, stamp}
