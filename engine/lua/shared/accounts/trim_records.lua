-- Remove records whose time is over, and of those beyond `most` the ones that end first.
local TRIMMED = 100

local function trim_records(records, by_end, now, most)
  local stamp = string.format('%d', now)
  local gone = redis.call('ZRANGEBYSCORE', by_end, '-inf', stamp, 'LIMIT', 0, TRIMMED)
  local over = redis.call('ZCARD', by_end) - tonumber(most)
  if #gone == 0 and over > 0 then
    gone = redis.call('ZRANGE', by_end, 0, math.min(over, TRIMMED) - 1)
  end
  if #gone == 0 then return end
  redis.call('HDEL', records, unpack(gone))
  redis.call('ZREM', by_end, unpack(gone))
end
