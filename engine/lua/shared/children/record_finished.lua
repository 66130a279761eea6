-- Write the record of a child that has completed as it began, whose words in `own` begin at the
-- position `first` and end at `last`.
local function record_finished(now, root_bytes, record, first, last)
  local stamp, reference = string.format('%d', now), ARGV[first + 1]
  redis.call('HSET', record, 'status', 'completed', 'created', stamp, 'started', stamp, 'completed',
    stamp, 'child', ARGV[first], 'counted', '0', 'root_bytes', root_bytes,
    unpack(ARGV, FIRST.shared, LAST.shared))
  redis.call('HSET', record, unpack(ARGV, first + 3, last))
  redis.call('ZADD', KEYS.finished, stamp, reference)
  redis.call('ZADD', KEYS.unarchived, stamp, reference)
end
