-- Return the refusal of an occurrence to start, nil for none; and the function that writes it with
-- its run. ARGV.occurrence has, separated by commas, trigger, id, time, kind ('d': a due time that
-- must be the next one, 'e': an event, 'h': by hand, from a disabled trigger too), revision of the
-- trigger ('': any), next due time ('': none) and '1' unless it may overlap with the last run.
local function refuse_occurrence(now)
  local trigger, id, at, kind, revision, next_at, overlap =
    string.match(ARGV.occurrence, '^([^,]+),([^,]+),(%d+),(%a),(%d*),(%d*),(%d?)$')
  local prefix = trigger .. '.'
  local enabled, saved, due, last_run = unpack(redis.call('HMGET', KEYS.triggers,
    prefix .. 'enabled', prefix .. 'revision', prefix .. 'next', prefix .. 'last_run'))
  if not saved or enabled ~= '1' and kind ~= 'h' or revision ~= '' and saved ~= revision
    or kind == 'd' and due ~= at then
    return {'changed'}
  end
  if overlap == '1' and last_run and (redis.call('SISMEMBER', KEYS.active, last_run) == 1
      or redis.call('SISMEMBER', KEYS.waited, last_run) == 1) then
    return {'still_running'}
  end
  local most = tonumber(ARGV.most_calls)
  local field = ARGV.account_id .. '|' .. ARGV.bucket
  if most then
    -- Uses: calls_in_window
    local calls, ends = calls_in_window(field, now)
    if calls >= most then return {'over_rate', calls, ends, now} end
  end

  return nil, function()
    local record = 's,' .. at .. ',,'
    -- Uses: write_occurrence
    write_occurrence(now, trigger, KEYS.started, id, at, record)
    redis.call('HSET', KEYS.triggers, prefix .. 'last', id .. ',' .. record, prefix .. 'last_run',
      ARGV.id)
    if kind == 'd' then
      -- Uses: set_next
      set_next(ARGV.account_id, trigger, next_at)
    end
    if KEYS.event then redis.call('SET', KEYS.event, ARGV.id, 'PX', ARGV.event_ms) end
    if most then
      -- Uses: count_call
      count_call(KEYS.windows, field, most, now, ARGV.window_ms)
    end
  end
end
