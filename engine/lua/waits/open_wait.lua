#!lua
-- Open the wait of a node that runs: write it to the record of its execution, list it, and tell of
-- it. A root knows that it or a child has waited, and keeps its idempotency key until it ends. A
-- full Redis refuses the script as a whole. Called again, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: execution, waits, approvals, waited, root? (of a child), child_waits? (of that root),
--       first_call? (of the root's idempotency key), events, root_events? (of that root), changes
--       (of the account), delivery? (of the wait, to a webhook that asks for it), deliveries_due?,
--       webhook_deliveries?, account_deliveries?, run_deliveries?, run_webhook? (its own)
-- ARGV: now?, reference (of the root), change_ms, most_changes (of add_change), execution_id, node
--       (index), kind ('a': approval, 'd': delay), duration_ms?, until_ms? (time in ms; one of both
--       is given), most_waiting (executions of the account), facts (after the times, in the
--       record), values (packed)
-- Returns {'ok', since, until} in ms | {'ended'} execution, root or node
--         | {'too_many', executions that wait}
-- Uses: read_now
local now = read_now(ARGV.now)
local LONGEST_RUN_MS = 60 * 86400000 -- the end of the run makes it shorter

local field, stamp = 'q' .. ARGV.node, string.format('%d', now)
local status, statuses, open, wait = unpack(redis.call('HMGET', KEYS.execution, 'status',
  'statuses', 'waits', field))
if wait then
  local since, ends = string.match(wait, '^(%d+):(%d+):')
  return {'ok', tonumber(since), tonumber(ends)}
end
if status ~= 'processing' then return {'ended'} end
if KEYS.root and redis.call('HGET', KEYS.root, 'status') ~= 'processing' then return {'ended'} end
local place = ARGV.node + 1
if not string.find(string.sub(statuses, place, place), '[rw]') then return {'ended'} end
local count = redis.call('HLEN', KEYS.waits)
if count >= tonumber(ARGV.most_waiting)
    and redis.call('HEXISTS', KEYS.waits, ARGV.execution_id) == 0 then
  return {'too_many', count}
end

local ends = ARGV.duration_ms == '' and tonumber(ARGV.until_ms) or now + tonumber(ARGV.duration_ms)
local until_stamp, name = string.format('%d', ends), ARGV.execution_id .. '/' .. ARGV.node
local told = stamp .. ':' .. until_stamp .. ':' .. ARGV.facts
redis.call('HSET', KEYS.execution, field, told .. '\n' .. ARGV.values,
  'waits', (open or ',') .. ARGV.node .. ':' .. ARGV.kind .. ':' .. until_stamp .. ',')
redis.call('HINCRBY', KEYS.waits, ARGV.execution_id, 1)
if ARGV.kind == 'a' then redis.call('ZADD', KEYS.approvals, stamp, name) end
if KEYS.root then
  redis.call('ZADD', KEYS.child_waits, stamp, name)
  redis.call('HSETNX', KEYS.root, 'waits', ',')
end
redis.call('HSET', KEYS.root or KEYS.execution, 'waited', '1')
redis.call('SADD', KEYS.waited, string.match(KEYS.root or KEYS.execution, '[^:]+$'))
if KEYS.first_call then redis.call('PEXPIRE', KEYS.first_call, LONGEST_RUN_MS) end
-- Uses: tell_wait
tell_wait(now, told, ARGV.values)
return {'ok', now, ends}
