#!lua flags=allow-oom
-- Claim an execution for a worker process and return a fence and the whole record. Refused while
-- other workers hold it, unless they share work, or a retry or the end of a wait is due.
-- Called again with the same token, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: execution, due, held (by this worker), active?, waiting_items? (both for an execution that
--       only waits)
-- ARGV: now?, reference, token (of this claim), worker
-- Returns {'claimed', fence, now, fields and values} | {'busy', status} | {'ended'} | {'missing'}
--         | {'waiting'} when the keys for one that only waits are missing
-- Uses: read_now
local now = read_now(ARGV.now)

local function has_due_node()
  local statuses = redis.call('HGET', KEYS.execution, 'statuses')
  for position in string.gmatch(statuses, '()[tw]') do
    local claim = redis.call('HGET', KEYS.execution, 'n' .. (position - 1))
    local at = string.match(claim, '^%d+:%d+:(%d+)')
    if tonumber(at) <= now then return true end
  end
  return false
end

local head = redis.call('HMGET', KEYS.execution, 'status', 'holders', 'shares_work', 'started',
  'only_waits')
local status = head[1]
if not status then
  redis.call('ZREM', KEYS.due, ARGV.reference)
  return {'missing'}
end
if status ~= 'processing' and status ~= 'cancel_requested' then
  redis.call('ZREM', KEYS.due, ARGV.reference)
  return {'ended'}
end

local mine = redis.call('HGET', KEYS.held, ARGV.reference)
if mine then
  local fence, token = string.match(mine, '^(%d+):(.*)$')
  if token ~= ARGV.token then return {'busy', status} end
  return {'claimed', fence, string.format('%d', now), redis.call('HGETALL', KEYS.execution)}
end
local is_held = tonumber(head[2] or '0') > 0
if is_held and head[3] ~= '1' and not has_due_node() then return {'busy', status} end
if head[5] and not KEYS.active then return {'waiting'} end

local fence = redis.call('HINCRBY', KEYS.execution, 'fence', 1)
redis.call('HINCRBY', KEYS.execution, 'holders', 1)
if head[5] then
  -- Uses: only_waiting
  end_only_waiting(KEYS.execution, now)
end
if not head[4] then redis.call('HSET', KEYS.execution, 'started', string.format('%d', now)) end
redis.call('HSET', KEYS.execution, 'w' .. fence, ARGV.worker)
redis.call('HSET', KEYS.held, ARGV.reference, fence .. ':' .. ARGV.token)
redis.call('ZREM', KEYS.due, ARGV.reference)
return {'claimed', tostring(fence), string.format('%d', now), redis.call('HGETALL', KEYS.execution)}
