#!lua
-- Publish text and progress of running nodes to the watchers of an execution. Updates of nodes of
-- other workers are ignored. Beyond the limits the oldest entries are dropped.
-- Called again with the same or an earlier batch, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: execution, held (by this worker), progress
-- ARGV: reference, claim ('fence:token'), batch, execution_id, most (entries), most_bytes (of
--       text), keep_ms, updates... (each a node, an item, the offset of the text, '' for progress,
--       and the text or progress)
-- Returns 'ok' | 'unwatched' | 'fenced', also when the end has removed values
-- Uses: add_event, notify_watchers, trim_progress
local fence = string.match(ARGV.claim, '^%d+')

if redis.call('HGET', KEYS.held, ARGV.reference) ~= ARGV.claim then return 'fenced' end
local head = redis.call('HMGET', KEYS.execution, 'events', 'progress' .. fence, 'progress_bytes',
  'dropped')
if head[4] then return 'fenced' end
if not head[1] then return 'unwatched' end
if tonumber(ARGV.batch) <= tonumber(head[2] or '0') then return 'ok' end

local bytes = tonumber(head[3] or '0')
for position = FIRST.updates, LAST.updates, 4 do
  local index, item, offset, text = unpack(ARGV, position, position + 3)
  local claim = redis.call('HGET', KEYS.execution, 'n' .. index) or ''
  local owner, attempt = string.match(claim, '^(%d+):(%d+)')
  if owner == fence then
    add_event(KEYS.execution, KEYS.progress, 'node', index, 'attempt', attempt, 'item', item,
      'offset', offset, 'content', text, 'behind', string.format('%d', bytes))
    bytes = bytes + #text
  end
end
trim_progress(KEYS.execution, KEYS.progress, bytes)
redis.call('HSET', KEYS.execution, 'progress' .. fence, ARGV.batch)
notify_watchers(KEYS.execution, ARGV.execution_id)
return 'ok'
