#!lua flags=allow-oom
-- Save a running node's answers for items of its list, so that another attempt or a retry of the
-- failed execution does not repeat them. The step that completes the node deletes them.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: execution, held (by this worker)
-- ARGV: reference, claim ('fence:token'), node, batch (from 1), answers (opaque bytes), has_object?
--       ('1' when they name one)
-- Returns 'ok' | 'fenced' when the node is not this worker's, or the end has removed values
-- Uses: answer_batches
if redis.call('HGET', KEYS.held, ARGV.reference) ~= ARGV.claim then return 'fenced' end
local fence = string.match(ARGV.claim, '^%d+')
local head = redis.call('HMGET', KEYS.execution, 'n' .. ARGV.node, 'answer_batches', 'dropped')
if not head[1] or string.match(head[1], '^(%d+):') ~= fence or head[3] then return 'fenced' end
local counts, number = answer_batches(head[2]), tonumber(ARGV.batch)
counts[ARGV.node] = math.max(counts[ARGV.node] or 0, number)
redis.call('HSET', KEYS.execution, 'k' .. ARGV.node .. '.' .. number, ARGV.answers)
if ARGV.has_object == '1' then redis.call('HSET', KEYS.execution, 'has_objects', '1') end
save_batch_counts(counts)
return 'ok'
