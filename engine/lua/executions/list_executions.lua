#!lua flags=no-writes
-- List executions of an account after a position, newest first. Position and page are read
-- atomically, so that concurrent acceptances neither repeat nor hide a row.
-- KEYS: 1 account's executions
-- ARGV: 1 creation time of the position in milliseconds ('' for the newest), 2 execution id of the
--       position, 3 most rows
-- Returns execution ids and creation times in turn
local start = 0
if ARGV[1] ~= '' then
  local rank = redis.call('ZREVRANK', KEYS[1], ARGV[2])
  if rank then
    start = rank + 1
  else
    -- The execution of the position was removed: count the newer ones.
    start = redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[1], '+inf')
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[1])) do
      if id > ARGV[2] then start = start + 1 end
    end
  end
end
return redis.call('ZRANGE', KEYS[1], start, start + tonumber(ARGV[3]) - 1, 'REV', 'WITHSCORES')
