-- Write an occurrence, listed among those of its status; and for the history unless it `is_brief`.
local function write_occurrence(now, trigger, list, id, at, record, is_brief)
  redis.call('HSET', KEYS.occurrences, id, record)
  redis.call('ZADD', list, at, id)
  if is_brief then return end
  redis.call('ZADD', KEYS.unarchived_occurrences, string.format('%d', now),
    ARGV.account_id .. '/' .. trigger .. '/' .. id)
end
