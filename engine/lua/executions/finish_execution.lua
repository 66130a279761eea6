#!lua flags=allow-oom
-- Claim and complete an execution in one step, after a worker has walked it without a claim, as is
-- possible when no node has effects. Only an execution without a claim, watchers, charges and a
-- webhook, and with the record that was walked, is completed; any other is unchanged and left to a
-- claim.
-- Called again with the same token, the script returns its first answer.
-- KEYS: 1 execution, 2 due, 3 finished, 4 account's active executions,
--       5 workflow, 6 unarchived
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 execution id, 4 token of this walk, 5 slug,
--       6 version, 7 inputs, 8 final node statuses, 9 node records with times relative to the
--       walk's begin, 10 result, 11 milliseconds since the walk's begin
-- Returns 1 when this walk has ended the execution, else 0
-- Uses: read_now, note_run, end_execution
local now = read_now(ARGV[1])

local head = redis.call('HMGET', KEYS[1], 'status', 'fence', 'slug', 'version', 'inputs',
  'terms', 'webhook_url', 'events', 'created', 'notifier', 'values')
if head[1] ~= 'processing' or head[2] then
  return redis.call('HGET', KEYS[1], 'walked') == ARGV[4] and 1 or 0
end
local is_the_walked = head[3] == ARGV[5] and head[4] == ARGV[6] and head[5] == ARGV[7]
if not is_the_walked or head[6] or head[7] or head[8] then return 0 end

local started = math.max(tonumber(head[9]), now - ARGV[11])
redis.call('HSET', KEYS[1], 'status', 'completed', 'completed', now, 'result', ARGV[10],
  'statuses', ARGV[8], 'started', started, 'walked', ARGV[4], 'r0.1', ARGV[9])
if head[11] then
  -- Uses: drop_values
  drop_values(KEYS[1], nil, 'completed', head[11])
end
local keys = {due = KEYS[2], finished = KEYS[3], active = KEYS[4], workflow = KEYS[5],
  unarchived = KEYS[6]}
end_execution(keys, ARGV[2], ARGV[3], now, 'completed', 0, ARGV[10], '', head[10])
return 1
