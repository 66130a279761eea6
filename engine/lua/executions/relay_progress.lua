#!lua
-- Publish text of a child to the watchers of its parent, as text of the parent's node that waits
-- for the child: a turn of an agent. Beyond the limits the oldest entries are dropped.
-- Called again with the same or an earlier batch, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: execution (the child), held (by this worker), parent, events, progress (of the parent)
-- ARGV: reference, claim ('fence:token' of the child), batch, parent_id, node (index), most
--       (entries), most_bytes (of text), keep_ms, updates... (each an offset of the text, and text)
-- Returns 'ok' | 'unwatched' | 'fenced', also when the node of the parent does not wait
-- Uses: add_event, begin_events, notify_watchers, trim_progress
local fence = string.match(ARGV.claim, '^%d+')

if redis.call('HGET', KEYS.held, ARGV.reference) ~= ARGV.claim then return 'fenced' end
local head = redis.call('HMGET', KEYS.parent, 'events', 'status', 'statuses', 'progress_bytes',
  'dropped', 'owner', 'n' .. ARGV.node)
if head[5] then return 'fenced' end
if not head[1] or head[6] then return 'unwatched' end
local code = string.sub(head[3], ARGV.node + 1, ARGV.node + 1)
if head[2] ~= 'processing' or not string.find(code, '[rw]') then return 'fenced' end
local done = redis.call('HGET', KEYS.execution, 'relayed' .. fence) or '0'
if tonumber(ARGV.batch) <= tonumber(done) then return 'ok' end

if head[1] == '0' then begin_events(KEYS.parent, KEYS.events, head[3]) end
-- The claim of a waiting node does not count the attempt that goes on.
local attempts = tonumber(string.match(head[7] or '', '^%d+:(%d+)') or '0')
if code == 'w' then attempts = attempts + 1 end
local bytes = tonumber(head[4] or '0')
for position = FIRST.updates, LAST.updates, 2 do
  local offset, text = ARGV[position], ARGV[position + 1]
  add_event(KEYS.parent, KEYS.progress, 'node', ARGV.node, 'attempt', attempts, 'item', '0',
    'offset', offset, 'content', text, 'behind', string.format('%d', bytes))
  bytes = bytes + #text
end
trim_progress(KEYS.parent, KEYS.progress, bytes)
redis.call('HSET', KEYS.execution, 'relayed' .. fence, ARGV.batch)
notify_watchers(KEYS.parent, ARGV.parent_id)
return 'ok'
