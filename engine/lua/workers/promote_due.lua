#!lua flags=allow-oom
-- Take the executions with a due hint, and schedule its repetition for the case that it is ignored.
-- KEYS: 1 due
-- ARGV: 1 now (0: Redis's clock), 2 most executions, 3 milliseconds until a hint is repeated
-- Returns {whether any hint is scheduled, the references}
-- Uses: read_now
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if not first[1] or tonumber(first[2]) > now then return {#first > 0 and 1 or 0, {}} end
local references = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', stamp, 'LIMIT', 0, ARGV[2])
for _, reference in ipairs(references) do
  redis.call('ZADD', KEYS[1], string.format('%d', now + tonumber(ARGV[3])), reference)
end
return {1, references}
