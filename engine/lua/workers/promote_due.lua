#!lua flags=allow-oom
-- Take the executions with a due hint, and schedule its repetition for the case that it is ignored.
-- KEYS: due
-- ARGV: now?, most (executions), repeat_ms (until a hint is repeated)
-- Returns {whether any hint is scheduled, the references}
-- Uses: read_now
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)
local first = redis.call('ZRANGE', KEYS.due, 0, 0, 'WITHSCORES')
if not first[1] or tonumber(first[2]) > now then return {#first > 0 and 1 or 0, {}} end
local references = redis.call('ZRANGEBYSCORE', KEYS.due, '-inf', stamp, 'LIMIT', 0, ARGV.most)
for _, reference in ipairs(references) do
  redis.call('ZADD', KEYS.due, string.format('%d', now + tonumber(ARGV.repeat_ms)), reference)
end
return {1, references}
