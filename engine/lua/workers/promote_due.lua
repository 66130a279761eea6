#!lua flags=allow-oom
-- Take the executions with a due hint, and schedule its repetition for the case that it is ignored.
-- KEYS: due
-- ARGV: now?, most (executions), repeat_ms (until a hint is repeated)
-- Returns {time in ms of the first hint that is scheduled now (false: none), the references}
-- Uses: read_now
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)
local references = redis.call('ZRANGEBYSCORE', KEYS.due, '-inf', stamp, 'LIMIT', 0, ARGV.most)
local again = string.format('%d', now + tonumber(ARGV.repeat_ms))
for _, reference in ipairs(references) do
  redis.call('ZADD', KEYS.due, again, reference)
end
local first = redis.call('ZRANGE', KEYS.due, 0, 0, 'WITHSCORES')
return {first[2] or false, references}
