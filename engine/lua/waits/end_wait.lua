#!lua flags=allow-oom
-- End the wait of a node: with the answer of a person, or when its time has come, with or without
-- an answer that stands for that. The first end counts. An answer of a person wakes the node.
-- Called again, the script changes nothing.
-- KEYS: execution, waits, approvals, due, active, audit, root? (of a child), child_waits? (of that
--       root), parent?, group?
-- ARGV: now?, reference, execution_id, node (index), is_due? ('1' when its time has come), facts
--       (after the time, in the record), values (packed), act*6
-- Returns {'ok', time in ms, active executions} | {'over', the first end} | {'ended'} execution, or
--         for persons the time to answer | {'early'} | {'missing'}
-- Uses: read_now, is_waiting, take_wait
local now = read_now(ARGV.now)

local field = 'a' .. ARGV.node
local status, open, wait, over = unpack(redis.call('HMGET', KEYS.execution, 'status', 'waits',
  'q' .. ARGV.node, field))
if not wait then return {'missing'} end
if over then return {'over', over} end
if not is_waiting(status) then return {'ended'} end
local has_come = tonumber(string.match(wait, '^%d+:(%d+):')) <= now
if has_come ~= (ARGV.is_due == '1') then return {has_come and 'ended' or 'early'} end

redis.call('HSET', KEYS.execution, field,
  string.format('%d', now) .. ':' .. ARGV.facts .. '\n' .. ARGV.values)
take_wait(open, ARGV.node)
if ARGV.is_due ~= '1' then
  -- Uses: wake_node, add_audit
  wake_node(now, KEYS.execution, ARGV.reference, ARGV.node)
  add_audit(now)
end
return {'ok', now, redis.call('SCARD', KEYS.active)}
