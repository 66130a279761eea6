#!lua flags=allow-oom
-- Return the entries of an execution from a number on, and notify the caller of further ones. The
-- first call writes the first entry. An execution that ended unwatched has two entries that are
-- computed, from data that never change, and so has one of another account's workflow: its caller
-- sees begin and end alone, and no children.
-- After a lost reply the call is sent again.
-- KEYS: execution, events, progress, child_waits, children... (that wait)
-- ARGV: channel (to notify, '' for none), first (number of an entry), most (entries), most_waits
--       (of children, told to a first watcher), ids... (of the children)
-- Returns {status, entries as XRANGE returns them, slug, version, models, number of the last entry,
--         parent} | {'missing'} | {'children'} that wait were not named
-- Uses: add_event, begin_events
local MOST_WATCHERS = 16

local head = redis.call('HMGET', KEYS.execution, 'status', 'statuses', 'events', 'watchers', 'slug',
  'version', 'models', 'owner', 'parent')
local status, statuses, last, watchers = head[1], head[2], head[3], head[4] or ''
if not status or (head[8] and head[9]) then return {'missing'} end
if status == 'processing' or status == 'cancel_requested' then
  if (last or '0') == '0' then
    local waits = {}
    if not head[8] and redis.call('EXISTS', KEYS.child_waits) == 1 then
      -- Uses: child_waits
      waits = child_waits()
      if not waits then return {'children'} end
    end
    begin_events(KEYS.execution, KEYS.events, statuses)
    for _, wait in ipairs(waits) do
      add_event(KEYS.execution, KEYS.events, 'waiting', wait[1], 'node', wait[2], 'facts', wait[3])
    end
    last = tostring(1 + #waits)
  end
  local _, count = string.gsub(watchers, ',', '')
  local is_known = ARGV.channel == '' or string.find(watchers, ARGV.channel .. ',', 1, true)
  if not is_known and count < MOST_WATCHERS then
    redis.call('HSET', KEYS.execution, 'watchers', watchers .. ARGV.channel .. ',')
  end
end
if head[8] then
  local entries = {{'1-0', {'begun', '', 'claims', ''}}}
  if status ~= 'processing' and status ~= 'cancel_requested' then
    entries[2] = {'2-0', {'ended', status, 'left', ''}}
  end
  return {status, entries, head[5], head[6], head[7], tostring(#entries), head[9]}
elseif not last then
  local entries = {
    {'1-0', {'begun', statuses, 'claims', ''}}, {'2-0', {'ended', status, 'left', ''}}}
  return {status, entries, head[5], head[6], head[7], '2', head[9]}
end

local first, most = ARGV.first .. '-0', tonumber(ARGV.most)
local steps = redis.call('XRANGE', KEYS.events, first, '+', 'COUNT', most)
local progress = redis.call('XRANGE', KEYS.progress, first, '+', 'COUNT', most)
local function number_of(entry)
  return entry and tonumber(string.match(entry[1], '^%d+')) or math.huge
end
local entries, step_at, progress_at = {}, 1, 1
while #entries < most and (steps[step_at] or progress[progress_at]) do
  if number_of(steps[step_at]) < number_of(progress[progress_at]) then
    entries[#entries + 1], step_at = steps[step_at], step_at + 1
  else
    entries[#entries + 1], progress_at = progress[progress_at], progress_at + 1
  end
end
return {status, entries, head[5], head[6], head[7], last, head[9]}
