#!lua
-- Save a new version of a workflow's document within the quota of the account's tier. The version
-- displaced from the latest ones is removed in the same call when it has never run; else its review
-- is scheduled.
-- Called again with the same operation id, the script returns its first answer.
-- KEYS: 1 workflow, 2 account's workflows, 3 names of its nodes, 4 counters of the account's
--       documents, 5 workflows due, 6 accounts of the partition, 7 account's workflows by time
-- ARGV: 1 now (0: Redis's clock), 2 slug, 3 operation id, 4 expected version ('' any, '0' never
--       published, 'new' none yet), 5 document, 6 account id, 7 reference, 8 digest of the nodes'
--       names, 9 the names, 10 versions to keep, 11 facts of the version, 12 revision of the draft
--       that is published and removed ('' none), 13 summary of the document, then tier and
--       'workflows:bytes' (each empty without a limit) of every tier
-- Returns {'ok', version, created, updated} | {'conflict', version} | {'gone'}
--         | {'moved', revision} when the draft has another revision, 0 for none
--         | {'full', 'workflows' or 'bytes', used, limit}
-- Uses: read_now, count_documents, document_limits, version, draft
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)
local keys = {workflow = KEYS[1], names = KEYS[3], stored = KEYS[4]}

local head = redis.call('HMGET', KEYS[1], 'version', 'state', 'created', 'updated', 'operation', 'last')
if head[5] == ARGV[3] then return {'ok', head[1], head[3], head[4]} end
local current = head[1] or '0'
if ARGV[4] == 'new' and head[2] then return {'conflict', current} end
if ARGV[4] ~= 'new' and (not head[2] or head[2] == 'deleted') then return {'gone'} end
if ARGV[4] ~= '' and ARGV[4] ~= 'new' and ARGV[4] ~= current then return {'conflict', current} end
local revision = current_revision(keys)
if ARGV[12] ~= '' and ARGV[12] ~= revision then return {'moved', revision} end

local so_far = redis.call('HMGET', KEYS[4], 'bytes', 'workflows')
local stored = {bytes = tonumber(so_far[1] or '0'), workflows = tonumber(so_far[2] or '0')}

local number = math.max(tonumber(current), tonumber(head[6] or '0')) + 1
local version, old = string.format('%d', number), string.format('%d', number - tonumber(ARGV[10]))
local is_named = redis.call('HEXISTS', KEYS[3], 'n' .. ARGV[8]) == 1
local facts = stamp .. ':' .. ARGV[11]
local bytes = #ARGV[5] + #facts + (is_named and 0 or #ARGV[9])
local freed = version_bytes(keys, old)
local may_be_in_use = redis.call('HEXISTS', KEYS[1], 'r' .. old) == 1
local account = redis.call('HGET', KEYS[6], ARGV[6])
local drafted = ARGV[12] ~= '' and redis.call('HSTRLEN', KEYS[1], 'draft') or 0
local more = bytes - drafted - (may_be_in_use and 0 or freed)
local refusal = document_limits(account, stored, more, not head[2], 14)
if refusal then return refusal end

if ARGV[12] ~= '' then remove_draft(keys) end
local created = head[3] or stamp
redis.call('HSET', KEYS[1], 'version', version, 'state', 'live', 'created', created,
  'updated', stamp, 'operation', ARGV[3], 'd' .. version, ARGV[5],
  'm' .. version, facts, 'summary', ARGV[13])
if not is_named then redis.call('HSET', KEYS[3], 'n' .. ARGV[8], ARGV[9]) end
redis.call('HINCRBY', KEYS[3], 'c' .. ARGV[8], 1)
redis.call('HSET', KEYS[3], 'v' .. version, ARGV[8])
count_documents(keys, bytes, head[2] and 0 or 1)
redis.call('SADD', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[7], stamp, ARGV[2])
if freed > 0 and not may_be_in_use then remove_version(keys, old, now) end
if freed > 0 and may_be_in_use then redis.call('ZADD', KEYS[5], 'LT', stamp, ARGV[7]) end
return {'ok', version, created, stamp}
