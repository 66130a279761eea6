#!lua flags=allow-oom
-- Save a running node's answers for items of its list, so that another attempt or a retry of the
-- failed execution does not repeat them. The step that completes the node deletes them.
-- Called again, the script changes nothing.
-- KEYS: 1 execution, 2 held by this worker
-- ARGV: 1 reference, 2 claim 'fence:token', 3 node index, 4 number of the batch, from 1, 5 answers
--       as opaque bytes, 6 '1' when they name an object
-- Returns 'ok' | 'fenced' when the node is not this worker's, or the end has removed values
-- Uses: answer_batches
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 'fenced' end
local fence = string.match(ARGV[2], '^%d+')
local head = redis.call('HMGET', KEYS[1], 'n' .. ARGV[3], 'answer_batches', 'dropped')
if not head[1] or string.match(head[1], '^(%d+):') ~= fence or head[3] then return 'fenced' end
local counts, number = answer_batches(head[2]), tonumber(ARGV[4])
counts[ARGV[3]] = math.max(counts[ARGV[3]] or 0, number)
redis.call('HSET', KEYS[1], 'k' .. ARGV[3] .. '.' .. number, ARGV[5])
if ARGV[6] == '1' then redis.call('HSET', KEYS[1], 'has_objects', '1') end
save_batch_counts(KEYS[1], counts)
return 'ok'
