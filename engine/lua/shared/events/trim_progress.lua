-- Drop the oldest entries of a stream of progress beyond its limits; `bytes` is the text of all
-- entries so far. Note the bytes in the record, and let the stream expire.
local function trim_progress(record, stream, bytes)
  redis.call('XTRIM', stream, 'MAXLEN', ARGV.most)
  local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  while oldest and bytes - tonumber(oldest[2][12]) > tonumber(ARGV.most_bytes) do
    redis.call('XDEL', stream, oldest[1])
    oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  end
  redis.call('PEXPIRE', stream, ARGV.keep_ms)
  redis.call('HSET', record, 'progress_bytes', string.format('%d', bytes))
end
