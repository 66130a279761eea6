#!lua
-- Begin queued children of a group: write their records, and schedule their hints. A full Redis
-- refuses the script as a whole. Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: group, parent, root, due, root_events, active, waiting_items, wallet? (for charged nodes),
--       ledger?, children... (records, in the order of `own`)
-- ARGV: now?, resend_ms (until a hint is repeated), most_running (children of the root), models?
--       (of the children, joined by commas), terms? (of the wallet, if their nodes are charged),
--       markup? (of prices), trials? (of use_trials), shared... (names and values of all records),
--       own... (for each child its index, its reference, the statuses of its nodes, the number of
--       words that follow, and names and values of its record)
-- Returns {'ok', a letter for each child}: 'b' begun now or before, 'x' cancelled, 'f' without room
--         | {'exhausted', model} | {'ended'} parent or root, or the group is not open
-- Uses: read_now, group_states, record_child, add_models
local now = read_now(ARGV.now)

local root_status, root_running, root_models, is_watched, bytes, only_waits = unpack(
  redis.call('HMGET', KEYS.root, 'status', 'children_running', 'models', 'events', 'child_bytes',
    'only_waits'))
local status, concurrency, running = unpack(redis.call('HMGET', KEYS.group, 'status',
  'concurrency', 'running'))
if root_status ~= 'processing' or status ~= 'open' then return {'ended'} end
if redis.call('HGET', KEYS.parent, 'status') ~= 'processing' then return {'ended'} end
local room = math.min(tonumber(concurrency) - running,
  tonumber(ARGV.most_running) - (root_running or '0'))

-- The fields of each child are checked before the first write.
local letters, begun, at = {}, {}, FIRST.own
for place = FIRST.children, LAST.children do
  local state, words = state_of(ARGV[at]), tonumber(ARGV[at + 3])
  if state ~= 'q' then
    letters[#letters + 1] = state == 'x' and 'x' or 'b'
  elseif #begun >= room then
    letters[#letters + 1] = 'f'
  else
    letters[#letters + 1] = 'b'
    begun[#begun + 1] = {KEYS[place], at, at + 3 + words}
  end
  at = at + 4 + words
end
letters = table.concat(letters)
if #begun == 0 then return {'ok', letters} end
if KEYS.wallet and ARGV.trials ~= '' then
  -- Uses: use_root_trials
  local exhausted = use_root_trials(now)
  if exhausted then return {'exhausted', exhausted} end
end

for _, child in ipairs(begun) do
  record_child(now, bytes or '0', unpack(child))
  set_state(ARGV[child[2]], 'p')
  if is_watched then
    -- Uses: notify_root
    local parent, id = string.match(KEYS.parent, '[^:]+$'), string.match(child[1], '[^:]+$')
    notify_root('started', id, parent, ARGV[child[2]], 'processing')
  end
end
save_states_of_group()
redis.call('HINCRBY', KEYS.group, 'queued', -#begun)
redis.call('HINCRBY', KEYS.group, 'running', #begun)
redis.call('HINCRBY', KEYS.root, 'children_running', #begun)
if only_waits then
  -- Uses: only_waiting
  end_only_waiting(KEYS.root, now)
end
add_models(root_models or '')
if ARGV.terms ~= '' then
  redis.call('HSETNX', KEYS.root, 'terms', ARGV.terms)
  redis.call('HSETNX', KEYS.root, 'markup', ARGV.markup)
end
return {'ok', letters}
