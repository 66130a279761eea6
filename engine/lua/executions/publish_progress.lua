#!lua
-- Publish text and progress of running nodes to the watchers of an execution. Updates of nodes of
-- other workers are ignored. Beyond the limits the oldest entries are dropped.
-- Called again with the same or an earlier batch, the script changes nothing.
-- KEYS: 1 execution, 2 held by this worker, 3 progress of running nodes
-- ARGV: 1 reference, 2 claim 'fence:token', 3 batch, 4 execution id, 5 most entries, 6 most bytes
--       of text, 7 milliseconds to keep the entries, then node index, item, offset of the text (''
--       for progress), and text or progress
-- Returns 'ok' | 'unwatched' | 'fenced', also when the end has removed values
-- Uses: add_event, notify_watchers
local keys, fence = {events = KEYS[3]}, string.match(ARGV[2], '^%d+')

if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 'fenced' end
local head = redis.call('HMGET', KEYS[1], 'events', 'progress' .. fence, 'progress_bytes', 'dropped')
if head[4] then return 'fenced' end
if not head[1] then return 'unwatched' end
if tonumber(ARGV[3]) <= tonumber(head[2] or '0') then return 'ok' end

local bytes, most_bytes = tonumber(head[3] or '0'), tonumber(ARGV[6])
for position = 8, #ARGV, 4 do
  local index, item, offset, text = unpack(ARGV, position, position + 3)
  local claim = redis.call('HGET', KEYS[1], 'n' .. index) or ''
  local owner, attempt = string.match(claim, '^(%d+):(%d+)')
  if owner == fence then
    add_event(keys, KEYS[1], 'node', index, 'attempt', attempt, 'item', item, 'offset', offset,
      'content', text, 'behind', string.format('%d', bytes))
    bytes = bytes + #text
  end
end
redis.call('XTRIM', KEYS[3], 'MAXLEN', ARGV[5])
local oldest = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
while oldest and bytes - tonumber(oldest[2][12]) > most_bytes do
  redis.call('XDEL', KEYS[3], oldest[1])
  oldest = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
end
redis.call('PEXPIRE', KEYS[3], ARGV[7])
redis.call('HSET', KEYS[1], 'progress' .. fence, ARGV[3], 'progress_bytes', string.format('%d', bytes))
notify_watchers(KEYS[1], ARGV[4])
return 'ok'
