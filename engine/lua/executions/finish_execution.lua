#!lua flags=allow-oom
-- Claim and complete an execution in one step, after a worker has walked it without a claim, as is
-- possible when no node has effects. Only an execution without a claim, watchers, charges and a
-- webhook, and with the record that was walked, is completed; any other is unchanged and left to a
-- claim.
-- Called again with the same token, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: execution, due, finished, active, workflow, unarchived, canary_counts, open_canaries,
--       canaries_due
-- ARGV: now?, reference, execution_id, token (of this walk), slug, version, inputs, statuses (final
--       ones), rows (of nodes, with times relative to the walk's begin), result, elapsed_ms (since
--       the walk's begin), plan (digest of the walked one), format (newest one of records that
--       the walker knows), tells? (asks for the facts of the end)
-- Returns the milliseconds from the acceptance to the begin of this walk when it has ended the
--         execution, in a list with the facts if they are asked for; else nothing
-- Uses: read_now, record_last_run, end_execution
local now = read_now(ARGV.now)

local function answer(started, created)
  if ARGV.tells == '' then return started - created end
  -- Uses: ended_facts
  return {started - created, ended_facts(KEYS.execution, 'completed')}
end

local head = redis.call('HMGET', KEYS.execution, 'status', 'fence', 'slug', 'version', 'inputs',
  'terms', 'webhook_url', 'events', 'created', 'notifier', 'values', 'plan', 'format',
  'release')
if head[1] ~= 'processing' or head[2] then
  local walked, started = unpack(redis.call('HMGET', KEYS.execution, 'walked', 'started'))
  return walked == ARGV.token and answer(started, head[9])
end
local is_the_walked = head[3] == ARGV.slug and head[4] == ARGV.version and head[5] == ARGV.inputs
if not is_the_walked or head[6] or head[7] or head[8] then return false end
-- A release with another plan of this version, or with another form of the record, has accepted it.
if head[12] and head[12] ~= ARGV.plan then return false end
if tonumber(head[13] or '1') > tonumber(ARGV.format) then return false end

local started = math.max(tonumber(head[9]), now - ARGV.elapsed_ms)
end_execution(now, 'completed', ARGV.statuses, 0, ARGV.result, '', head[10],
  'started', started, 'walked', ARGV.token, 'r0.1', ARGV.rows)
if head[14] then
  -- Uses: count_release
  count_release(now, head[14], false, started)
end
if head[11] then
  -- Uses: drop_values
  drop_values('completed', head[11])
end
return answer(started, head[9])
