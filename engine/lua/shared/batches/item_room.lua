-- Return the number of items of a batch that may begin now; and, when only the rate of runs refuses
-- them, the end of the window in milliseconds. `active` is the number of all executions of the
-- account that have not ended. Items take at most half of these, and half of the window. Those that
-- only wait take no room. Items of a batch of a `kind`, a replay or a test run, are in no window.
local function item_room(now, batch, states, concurrency, active, kind)
  -- Uses: calls_in_window
  local waiting, all_waiting = unpack(redis.call('HMGET', KEYS.waiting_items, batch, 'all'))
  local room = tonumber(concurrency) - count_states(states, 'p') + (waiting or 0)
  if ARGV.most_active ~= '' then
    local items = tonumber(redis.call('HGET', KEYS.account_items, 'active') or '0')
    items = items - (all_waiting or 0)
    room = math.min(room, tonumber(ARGV.most_items) - items, tonumber(ARGV.most_active) - active)
  end
  if room <= 0 or kind or ARGV.most_calls == '' then return math.max(0, room) end
  local most, field = tonumber(ARGV.most_calls), ARGV.account_id .. '|' .. ARGV.bucket
  local calls, ends = calls_in_window(field, now)
  local left = math.min(most - calls,
    math.ceil(most / 2) - (calls_in_window(field .. '|items', now)))
  if left <= 0 then return 0, ends end
  return math.min(room, left)
end
