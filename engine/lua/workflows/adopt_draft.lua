#!lua flags=allow-oom
-- Make a draft of a current version that cannot run: it was saved before drafts had a place of their
-- own. Versions after the newest that can run go, since none of them has ever run.
-- KEYS: 1 workflow, 2 names of its nodes, 3 counters of the account's documents
-- ARGV: 1 now (0: Redis's clock), 2 the current version, 3 the newest version that can run ('' none)
-- Returns 1, or 0 when another version is current
-- Uses: read_now, count_documents, count_uncounted, version, draft
local now = read_now(ARGV[1])
local keys = {workflow = KEYS[1], names = KEYS[2], stored = KEYS[3]}
local head = redis.call('HMGET', KEYS[1], 'version', 'updated', 'd' .. ARGV[2])
if head[1] ~= ARGV[2] or not head[3] then return 0 end

count_uncounted(keys)
if redis.call('HEXISTS', KEYS[1], 'draft') == 1 then remove_draft(keys) end
redis.call('HINCRBY', KEYS[1], 'draft_revision', 1)
redis.call('HSET', KEYS[1], 'draft', head[3], 'draft_based_on', ARGV[3], 'draft_saved', head[2],
  'draft_operation', '', 'last', ARGV[2])
count_documents(keys, #head[3], 0)
local live = tonumber(ARGV[3]) or 0
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local version = string.match(field, '^d(%d+)$')
  if version and tonumber(version) > live then remove_version(keys, version, now) end
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], 'version')
else
  redis.call('HSET', KEYS[1], 'version', ARGV[3])
end
return 1
