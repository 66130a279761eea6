#!lua flags=allow-oom
-- Record occurrences that start no run: due times from the next one on, with the due time that
-- follows, or an event. An event that counts as a call is counted in the window of its account.
-- Called again, the script changes nothing.
-- KEYS: triggers, occurrences, skipped, failed, missed (ids of the trigger's occurrences of each
--       status), unarchived_occurrences, open_schedules, schedules_due, event_bodies, event_times,
--       windows?
-- ARGV: now?, account_id, trigger, revision?, at? (next due time, the first of the occurrences;
--       absent: an event), next? (due time that follows), most_skipped (events), most_bodies (of
--       the account's events), body_ms (to keep them), most_calls?, bucket?, window_ms?,
--       new... (id, record and packed event, '' for none, of each, oldest first)
-- Returns {'ok'} | {'changed'} trigger | {'over_rate', calls, end of the window, now}
-- Uses: read_now, write_occurrence, keep_event
local now = read_now(ARGV.now)
local prefix, is_event = ARGV.trigger .. '.', ARGV.at == ''
local enabled, saved, due, last = unpack(redis.call('HMGET', KEYS.triggers, prefix .. 'enabled',
  prefix .. 'revision', prefix .. 'next', prefix .. 'last'))
if not saved or enabled ~= '1' or ARGV.revision ~= '' and saved ~= ARGV.revision
  or not is_event and due ~= ARGV.at then
  return {'changed'}
end
local function is_written(id) return redis.call('HEXISTS', KEYS.occurrences, id) == 1 end
if is_event and is_written(ARGV[FIRST.new]) then return {'ok'} end
local most, field = tonumber(ARGV.most_calls), ARGV.account_id .. '|' .. ARGV.bucket
if most then
  -- Uses: calls_in_window, count_call
  local calls, ends = calls_in_window(field, now)
  if calls >= most then return {'over_rate', calls, ends, now} end
  count_call(KEYS.windows, field, most, now, ARGV.window_ms)
end

local lists = {k = KEYS.skipped, f = KEYS.failed, m = KEYS.missed}
local newest = tonumber(string.match(last or '', '^[^,]+,%a,(%d+)') or '-1')
for place = FIRST.new, LAST.new, 3 do
  local id, record, event = ARGV[place], ARGV[place + 1], ARGV[place + 2]
  local code, at = string.match(record, '^(%a),(%d+)')
  local is_brief = is_event and code == 'k'
  if not is_written(id) then
    write_occurrence(now, ARGV.trigger, lists[code], id, at, record, is_brief)
  end
  if is_brief then redis.call('HINCRBY', KEYS.triggers, prefix .. 'skipped', 1) end
  if event ~= '' then keep_event(now, ARGV.trigger .. '/' .. id, event) end
  if tonumber(at) >= newest then newest, last = tonumber(at), id .. ',' .. record end
end
redis.call('HSET', KEYS.triggers, prefix .. 'last', last)
if is_event then
  -- Uses: trim_skipped
  trim_skipped()
else
  -- Uses: set_next
  set_next(ARGV.account_id, ARGV.trigger, ARGV.next)
end
return {'ok'}
