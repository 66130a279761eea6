-- Write the record of a child, whose words in `own` begin at the position `first` and end at
-- `last`, and schedule its hint. `root_bytes` are those that its root's children have used so far.
local function record_child(now, root_bytes, record, first, last)
  local MOST_AT_ONCE = 1000
  redis.call('HSET', record, 'status', 'processing', 'created', now, 'child', ARGV[first],
    'statuses', ARGV[first + 2], 'counted', '1', 'root_bytes', root_bytes,
    unpack(ARGV, FIRST.shared, LAST.shared))
  for word = first + 4, last, MOST_AT_ONCE do
    redis.call('HSET', record, unpack(ARGV, word, math.min(word + MOST_AT_ONCE - 1, last)))
  end
  redis.call('ZADD', KEYS.due, now + ARGV.resend_ms, ARGV[first + 1])
end
