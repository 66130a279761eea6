#!lua
-- Save a new version of a workflow's document.
-- Called again with the same operation id it answers as the first time.
-- KEYS: 1 workflow, 2 account's workflows
-- ARGV: 1 now (0: Redis's clock), 2 slug, 3 operation id,
--       4 expected version ('' any, 'new' none yet), 5 document
-- Returns {'ok', version, created, updated} | {'conflict', version} | {'gone'}
-- Uses: read_now
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)

local head = redis.call('HMGET', KEYS[1], 'version', 'state', 'created', 'updated', 'operation')
if head[5] == ARGV[3] then return {'ok', head[1], head[3], head[4]} end
if ARGV[4] == 'new' and head[1] then return {'conflict', head[1]} end
if ARGV[4] ~= 'new' and (not head[1] or head[2] == 'deleted') then return {'gone'} end
if ARGV[4] ~= '' and ARGV[4] ~= 'new' and ARGV[4] ~= head[1] then return {'conflict', head[1]} end

local version = string.format('%d', tonumber(head[1] or '0') + 1)
local created = head[3] or stamp
redis.call('HSET', KEYS[1], 'version', version, 'state', 'live', 'created', created,
  'updated', stamp, 'operation', ARGV[3], 'd' .. version, ARGV[5])
redis.call('SADD', KEYS[2], ARGV[2])
return {'ok', version, created, stamp}
