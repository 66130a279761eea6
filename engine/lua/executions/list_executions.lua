#!lua flags=no-writes
-- List executions or workflows of an account after a position, newest first. Position and page are
-- read atomically, so that concurrent acceptances neither repeat nor hide a row.
-- After a lost reply the call is sent again.
-- KEYS: listed (sorted by creation)
-- ARGV: at? (creation of the position in milliseconds; none: begin with the newest), id? (at the
--       position), most
-- Returns execution ids and creation times in turn
local start = 0
if ARGV.at ~= '' then
  local rank = redis.call('ZREVRANK', KEYS.listed, ARGV.id)
  if rank then
    start = rank + 1
  else
    -- The execution of the position was removed: count the newer ones.
    start = redis.call('ZCOUNT', KEYS.listed, '(' .. ARGV.at, '+inf')
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS.listed, ARGV.at, ARGV.at)) do
      if id > ARGV.id then start = start + 1 end
    end
  end
end
local last = start + tonumber(ARGV.most) - 1
return redis.call('ZRANGE', KEYS.listed, start, last, 'REV', 'WITHSCORES')
