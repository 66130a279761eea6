#!lua flags=allow-oom
-- Release an execution from a dead or stopping worker; its running nodes become pending. Workers
-- lost since the last step are counted, since a node that runs without a claim may have killed
-- them.
-- Called again, the script changes nothing.
-- KEYS: execution, due, held (by that worker)
-- ARGV: now?, reference, is_lost ('1' when the worker was lost: losses are counted per node),
--       pause_ms? (doubled for each further loss), claim? (that must be on record)
-- Returns 1 when the worker held the execution, else 0
-- Uses: read_now, lost_attempt
local now = read_now(ARGV.now)
local MOST_DOUBLINGS, LONGEST_PAUSE = 10, 60000

local held = redis.call('HGET', KEYS.held, ARGV.reference)
if not held or (ARGV.claim ~= '' and held ~= ARGV.claim) then return 0 end
local head = redis.call('HMGET', KEYS.execution, 'status', 'statuses', 'holders')
if head[1] ~= 'processing' and head[1] ~= 'cancel_requested' then
  redis.call('HDEL', KEYS.held, ARGV.reference)
  return 0
end

-- All reads that can fail come before the first write.
local fence = string.match(held, '^(%d+):')
local codes, claims = {string.byte(head[2], 1, -1)}, {}
for position in string.gmatch(head[2], '()r') do
  local field = 'n' .. (position - 1)
  local text = redis.call('HGET', KEYS.execution, field)
  local owner, attempts, at, lost = string.match(text, '^(%d+):(%d+):(%d+):(%d+)$')
  if owner == fence then
    if ARGV.is_lost == '1' then
      claims[#claims + 1], claims[#claims + 2] =
        lost_attempt(position - 1, attempts, fence, at, now)
      lost = lost + 1
    else
      attempts = attempts - 1
    end
    claims[#claims + 1] = field
    claims[#claims + 1] = '0:' .. attempts .. ':' .. at .. ':' .. lost
    codes[position] = string.byte('p')
  end
end

redis.call('HDEL', KEYS.held, ARGV.reference)
if #claims > 0 then redis.call('HSET', KEYS.execution, unpack(claims)) end
-- A remaining holder may not notice the change for a while: other workers may help.
local holders = math.max(0, tonumber(head[3] or '0') - 1)
redis.call('HSET', KEYS.execution, 'statuses', string.char(unpack(codes)),
  'holders', holders, 'shares_work', holders > 0 and '1' or '')
local pause = tonumber(ARGV.pause_ms) or 0
if ARGV.is_lost == '1' then
  local lost = redis.call('HINCRBY', KEYS.execution, 'lost', 1)
  pause = pause * 2 ^ math.min(lost - 1, MOST_DOUBLINGS)
end
local due = string.format('%d', now + math.min(pause, LONGEST_PAUSE))
redis.call('ZADD', KEYS.due, due, ARGV.reference)
return 1
