#!lua
-- Begin and complete queued children of a group in one step, after a worker has walked them, as is
-- possible when none of their nodes has effects. Children that are not queued any more are left. A
-- full Redis refuses the script as a whole. Called again, the script changes nothing.
-- KEYS: group, parent, root, due, active, root_events, open_children, finished, unarchived,
--       children... (records, in the order of `own`)
-- ARGV: now?, account_id, parent_id, node (index), most_bytes (of the values of the root's
--       children), tells? (asks for the facts of ends), shared... (names and
--       values of all their records), results... (plain ones), sizes... (bytes of the values of
--       each), own... (for each child its index, its reference, the number of words that follow,
--       and names and values of its record)
-- Returns {'ok', a letter for each child, parent to wake as `wake_parent` returns it, or '', facts
--         of each child, none for one that has not ended now}: 'b' has begun, now or before, 'x'
--         cancelled | {'large'} over most_bytes | {'ended'} parent or root, or the group is not
--         open
-- Uses: read_now, group_states, record_finished, wake_parent
local now = read_now(ARGV.now)
local root_status, bytes, is_watched = unpack(redis.call('HMGET', KEYS.root, 'status',
  'child_bytes', 'events'))
local status, queued, running, failed = unpack(redis.call('HMGET', KEYS.group, 'status', 'queued',
  'running', 'failed'))
if root_status ~= 'processing' or status ~= 'open' then return {'ended'} end
if redis.call('HGET', KEYS.parent, 'status') ~= 'processing' then return {'ended'} end

-- The fields of each child are checked before the first write.
local letters, facts, ended, size, at = {}, {}, {}, 0, FIRST.own
for place = FIRST.children, LAST.children do
  local state, words, number = state_of(ARGV[at]), tonumber(ARGV[at + 2]), place - FIRST.children
  letters[#letters + 1] = state == 'x' and 'x' or 'b'
  facts[#letters] = {}
  if state == 'q' then
    local result = ARGV[FIRST.results + number]
    ended[#ended + 1] = {KEYS[place], at, at + 2 + words, result, #letters}
    size = size + tonumber(ARGV[FIRST.sizes + number])
  end
  at = at + 3 + words
end
letters = table.concat(letters)
if #ended == 0 then return {'ok', letters, '', facts} end
if (bytes or 0) + size > tonumber(ARGV.most_bytes) then return {'large'} end

for _, child in ipairs(ended) do
  local record, first, last, result, number = unpack(child)
  record_finished(now, bytes or '0', record, first, last)
  set_state(ARGV[first], 'c')
  redis.call('HSET', KEYS.group, 'r' .. ARGV[first], result)
  if ARGV.tells ~= '' then
    -- Uses: ended_facts
    facts[number] = ended_facts(record, 'completed')
  end
  if is_watched then
    -- Uses: notify_root
    local id = string.match(record, '[^:]+$')
    notify_root('started', id, ARGV.parent_id, ARGV[first], 'processing')
    notify_root('finished', id, ARGV.parent_id, ARGV[first], 'completed')
  end
end
save_states_of_group()
redis.call('HINCRBY', KEYS.group, 'queued', -#ended)
redis.call('HINCRBY', KEYS.root, 'child_bytes', size)
local is_open = tonumber(queued) > #ended or tonumber(running) > 0
if is_open then return {'ok', letters, '', facts} end
redis.call('HSET', KEYS.group, 'status', 'done')
redis.call('ZREM', KEYS.open_children, ARGV.parent_id .. '/' .. ARGV.node)
if failed then return {'ok', letters, '', facts} end
local woken = wake_parent(now, ARGV.account_id, ARGV.parent_id, ARGV.node)
return {'ok', letters, woken or '', facts}
