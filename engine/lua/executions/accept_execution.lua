#!lua
-- Accept an execution: write its record, list it, and schedule a repeated hint. The credits that it
-- may cost are reserved, and trials are used up, in the same step. With the digest of an API key,
-- the call is authorized and counted first, like count_key_call: only the key and account that the
-- caller assumes may go on, within their limit.
-- A full Redis refuses the script as a whole. A used idempotency key changes nothing and returns
-- the first call. Called again with the same id, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: workflow, execution, executions (of the account), due, active (executions of the account),
--       first_call? (of the idempotency key), failed? (execution that this one retries), wallet?,
--       ledger? (both for charged nodes), api_keys?, accounts? (both with a digest), windows? (of
--       the account, if its calls are limited), run_webhook? (its own), delivery? (of its start),
--       deliveries_due?, webhook_deliveries?, account_deliveries?, run_deliveries?,
--       batch?, account_items?, waiting_items? (all for an item), triggers?, occurrences? (of the
--       trigger), started? (those of them that started), unarchived_occurrences? (all for an
--       occurrence), event? (of an event with an id), open_schedules?, schedules_due? (both for a
--       due time), waited? (for an occurrence)
-- ARGV: now? (Redis's clock), id, reference, version? (of a workflow), version_kind? ('named': it
--       need not be live, 'aside': that, and it counts as no run, 'foreign': it is another
--       account's), aliases_revision? (of the workflow's aliases, by which the version was chosen),
--       statuses (of the nodes), resend_ms
--       (until a hint is repeated), most_active? (executions), body_fingerprint?, first_call_ms?
--       (for which the first call is recorded), answer? (to the first call, if known already),
--       former_retry? (of the failed execution, if another may follow it), credits? (to reserve),
--       terms? (of refresh_wallet), trials? (of use_trials), digest?, records_fingerprint? (of the
--       assumed key and account), account_id?, key_expires_at?, most_calls? (in a window), bucket?
--       (of the call), window_ms?, webhook_secret? (sealed, of the run's webhook),
--       may_approve? ('1' when that gets links of approvals), item? (its position in the batch),
--       most_items? (of the account that run), occurrence? (as
--       `start_occurrence` reads it), event_ms? (for which an event is known),
--       fields... (names and values of the record)
-- Returns {'ok', created, active} | {'repeated', fingerprint, execution id, response or ''}
--         | {'stale', version} | {'no_document'} without the version's document | {'gone'}
--         | {'busy', active} | {'retried', execution id} | {'unretryable', status or ''}
--         | {'insufficient', balance} | {'exhausted', model}
--         | {'cancelled'} | {'begun'} | {'full'} | {'later', end of the window} for an item
--         | {'changed'} trigger | {'still_running'} | {'over_rate', calls, end of the window, now}
--         | {'known', execution id} for an event, all of an occurrence
--         With a digest, this in a list of its own, or {'refused'} of another key or account, or
--         beyond the limit; followed, with a limit, by the limit, the calls in this window (one
--         more than the limit: refused), its end and now
-- Uses: read_now
local now = read_now(ARGV.now)

local function accept()
  -- Uses: refuse_execution, record_execution
  local active = redis.call('SCARD', KEYS.active)
  local refusal, version = refuse_execution(active)
  -- One command tells whether a plain execution is new, and lists it.
  local states, start
  local is_plain = not (refusal or KEYS.first_call or KEYS.failed or KEYS.wallet or KEYS.batch
    or KEYS.triggers)
  if not is_plain or redis.call('ZADD', KEYS.executions, 'NX', now, ARGV.id) == 0 then
    -- Uses: find_first_answer
    local answer = find_first_answer(active) or refusal
    if answer and answer[1] == 'ok' and KEYS.triggers then
      -- Uses: pass_occurrence
      pass_occurrence()
    end
    if not answer and KEYS.batch then
      -- Uses: refuse_item
      answer, states = refuse_item(now, active)
    end
    if not answer and KEYS.triggers then
      -- Uses: start_occurrence
      answer, start = refuse_occurrence(now)
    end
    if not answer and KEYS.wallet then
      -- Uses: wallet, refresh_wallet, reserve, save_wallet, use_trials, charge
      answer = charge(now)
    end
    if answer then return answer end
    redis.call('ZADD', KEYS.executions, now, ARGV.id)
  end
  record_execution(now, version)
  if states then
    -- Uses: begin_item
    begin_item(now, states)
  end
  if start then start() end
  return {'ok', now, active + 1}
end

if ARGV.digest == '' then return accept() end
-- Uses: is_assumed_caller
if not is_assumed_caller(now) then return {{'refused'}} end
if ARGV.most_calls == '' then return {accept()} end
-- Uses: count_call
local most, field = tonumber(ARGV.most_calls), ARGV.account_id .. '|' .. ARGV.bucket
local count, ends = count_call(KEYS.windows, field, most, now, ARGV.window_ms)
return {count <= most and accept() or {'refused'}, most, count, ends, now}
