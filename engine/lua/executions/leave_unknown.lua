#!lua flags=allow-oom
-- Give an execution back to other workers, since this one does not know a part of it. Nothing of it
-- has run under the claim. Its record keeps the time at which it was first given back so, and the
-- part; the longer ago that is, the later it is due again.
-- Called again, the script changes nothing.
-- KEYS: execution, due, held (by this worker)
-- ARGV: now?, reference, claim ('fence:token'), part, wait_ms (until the execution fails), pause_ms
--       (least pause, so that the worker gets few of them)
-- Returns 1 when the worker held the execution, else 0
-- Uses: read_now
local now = read_now(ARGV.now)
local LEAST_PAUSE, MOST_PAUSE = 1000, 15000

if redis.call('HGET', KEYS.held, ARGV.reference) ~= ARGV.claim then return 0 end
local head = redis.call('HMGET', KEYS.execution, 'status', 'statuses', 'holders', 'unknown')
if head[1] ~= 'processing' and head[1] ~= 'cancel_requested' then
  redis.call('HDEL', KEYS.held, ARGV.reference)
  return 0
end

local since = tonumber(string.match(head[4] or '', '^%d+') or now)
local waited = math.max(0, now - since)
local pause = math.min(math.max(waited, LEAST_PAUSE), MOST_PAUSE)
pause = math.min(pause, math.max(0, tonumber(ARGV.wait_ms) - waited))
pause = math.max(pause, tonumber(ARGV.pause_ms))
redis.call('HDEL', KEYS.held, ARGV.reference)
redis.call('HDEL', KEYS.execution, 'w' .. string.match(ARGV.claim, '^%d+'))
-- The time at which an execution has begun is that of a worker that knows it.
if not string.find(head[2], '[^p]') then redis.call('HDEL', KEYS.execution, 'started') end
redis.call('HSET', KEYS.execution, 'holders', math.max(0, tonumber(head[3] or '0') - 1),
  'unknown', string.format('%d:', since) .. ARGV.part)
redis.call('ZADD', KEYS.due, string.format('%d', now + pause), ARGV.reference)
return 1
