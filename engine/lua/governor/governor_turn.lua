#!lua flags=allow-oom
-- Record a worker process's events of its calls to one provider, and permit waiting calls of all
-- processes within the provider's limits, fairly over accounts. The calls of a process end with its
-- lease.
-- KEYS: 1 state, 2 calls, 3 waiting, 4 ring, 5 running, 6 permitted and not begun, 7 callers
-- ARGV: 1 now (0: Redis's clock), 2 the process's channel, 3 its lease in milliseconds, 4 message
--       that notifies it, 5 requests a minute, 6 tokens a minute, 7 concurrent calls (0: unknown,
--       or unchanged), 8 milliseconds to keep all keys, 9 burst in milliseconds, 10 milliseconds
--       for which a 'done' call lifts the limit on requests (0: never), then for each event: kind,
--       call's id, account, amount, recent calls a minute of this process
--       Kinds of events: 'ask' (amount: tokens), 'took' a permission, 'left', and ends of calls:
--       'done' (tokens used, -1: unknown), 'refused' (milliseconds to wait), 'failed'. A call that
--       did not ask has no id.
-- Returns {whether the process was unknown, milliseconds until the next useful turn (-1: no call
--         waits), milliseconds for which the breaker is open, its account ('*': all), milliseconds
--         of a pause for all, whether calls must ask, consecutive failures, ids of permitted calls}
-- Uses: read_now, governor, pace, breaker, queue, end_call
local now, caller = read_now(ARGV[1]), ARGV[2]
local keys = {state = KEYS[1], calls = KEYS[2], waiting = KEYS[3], ring = KEYS[4]}
keys.running, keys.granted, keys.callers = KEYS[5], KEYS[6], KEYS[7]
local limits = {requests = ARGV[5], tokens = ARGV[6], concurrency = ARGV[7]}
local burst, trust = tonumber(ARGV[9]), tonumber(ARGV[10])
local lease_ends = string.format('%d', now + tonumber(ARGV[3]))
local governor = open_governor(keys, now, caller, lease_ends, limits, burst)
local is_new = redis.call('ZADD', KEYS[7], lease_ends, caller)
remove_expired_callers(governor)
raise_pace(governor)

for at = 11, #ARGV, 5 do
  local kind, id, account = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if kind == 'ask' then
    enqueue(governor, id, account, ARGV[at + 3])
  elseif kind == 'took' then
    redis.call('ZREM', KEYS[6], caller .. '|' .. id)
  else
    end_call(governor, kind, id, account, tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]))
  end
end

local must_ask = governor.requests or governor.tokens or governor.concurrency or governor.rate or
  governor.open
lift_limit(governor, trust)
local notified, call, due = {}, next_call(governor), nil
local free = (governor.concurrency or math.huge) - redis.call('ZCARD', KEYS[5])
while call and free > 0 and ready_at(governor) <= now do
  permit_call(governor, call)
  notified[call.caller] = call.caller ~= caller or nil
  free = free - 1
  call = next_call(governor)
end
for other in pairs(notified) do redis.call('PUBLISH', other, ARGV[4]) end
if call then
  due = math.ceil(math.max(ready_at(governor) - now, 1))
  -- The process of the next call is notified in time; the others verify that it was.
  if free <= 0 then due = 1000 elseif call.caller ~= caller then due = due + 50 end
elseif redis.call('ZCARD', KEYS[3]) > 0 then
  due = 1000
end
save_governor(governor)
for position = 1, #KEYS do redis.call('PEXPIRE', KEYS[position], ARGV[8]) end

local reply = {is_new, math.min(due or -1, 1000), open_for(governor), governor.blamed or '',
  math.max(0, math.ceil((governor.pause or 0) - now)), must_ask and 1 or 0, governor.failures or 0}
local own = redis.call('ZRANGE', KEYS[6], '[' .. caller .. '|', '(' .. caller .. '}', 'BYLEX')
for _, field in ipairs(own) do reply[#reply + 1] = string.sub(field, #caller + 2) end
return reply
