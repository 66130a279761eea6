#!lua
-- Write the document of the live version anew, with other members around the same graph; no version
-- is made. Called again with the same operation id it answers as the first time.
-- KEYS: 1 workflow, 2 account's workflows, 3 counters of the account's documents,
--       4 accounts of the partition, 5 account's workflows by time
-- ARGV: 1 now (0: Redis's clock), 2 operation id, 3 expected version, 4 operation id of the save that
--       was read, 5 document, 6 account id, 7 slug, 8 summary of the document, then tier and
--       'workflows:bytes' (each empty without a limit) of every tier
-- Returns {'ok', version, created, updated} | {'conflict', version} | {'gone'}
--         | {'full', 'bytes', used, limit}
-- Uses: read_now, count_documents, document_limits
local stamp = string.format('%d', read_now(ARGV[1]))
local keys = {workflow = KEYS[1], stored = KEYS[3]}

local head = redis.call('HMGET', KEYS[1], 'version', 'state', 'created', 'updated', 'operation')
if head[5] == ARGV[2] then return {'ok', head[1], head[3], head[4]} end
if not head[1] or head[2] == 'deleted' then return {'gone'} end
if head[1] ~= ARGV[3] or (head[5] or '') ~= ARGV[4] then return {'conflict', head[1]} end

local so_far = redis.call('HMGET', KEYS[3], 'bytes', 'workflows')
local stored = {bytes = tonumber(so_far[1] or '0'), workflows = tonumber(so_far[2] or '0')}
local document = 'd' .. head[1]
local more = #ARGV[5] - redis.call('HSTRLEN', KEYS[1], document)
local account = redis.call('HGET', KEYS[4], ARGV[6])
local refusal = document_limits(account, stored, more, false, 9)
if refusal then return refusal end

redis.call('HSET', KEYS[1], document, ARGV[5], 'updated', stamp, 'operation', ARGV[2],
  'summary', ARGV[8])
redis.call('ZADD', KEYS[5], stamp, ARGV[7])
count_documents(keys, more, 0)
return {'ok', head[1], head[3], stamp}
