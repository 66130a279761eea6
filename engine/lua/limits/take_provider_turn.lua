#!lua flags=allow-oom
-- Record a worker process's reports of its calls to one provider, and permit waiting calls of all
-- processes within the provider's limits, fairly over accounts. The calls of a process end with its
-- lease.
-- Kinds of reports: 'ask' (amount: tokens), 'took' a permission, 'left', and ends of calls: 'done'
-- (tokens used, -1: unknown), 'refused' (milliseconds to wait), 'failed'. A call that did not ask
-- has no id.
-- After a lost reply the call is sent again.
-- KEYS: state, calls, waiting, shares (accounts with waiting calls, by share), running, granted
--       (permitted and not begun), callers (processes)
-- ARGV: now?, caller (the process's channel), lease_ms, provider (the message that notifies a
--       process), requests (a minute, 0: unknown, or unchanged), tokens (a minute), concurrency,
--       keep_ms (for all keys), burst_ms, trust_ms (for which a 'done' call lifts the limit on
--       requests, 0: never), reports... (each a kind, a call's id, its account, an amount, and
--       recent calls a minute of this process)
-- Returns {whether the process was unknown, milliseconds until the next useful turn (-1: no call
--         waits), milliseconds for which the breaker is open, its account ('*': all), milliseconds
--         of a pause for all, whether calls must ask, consecutive failures, ids of permitted calls}
-- Uses: read_now, governor, rate, pace, breaker, calls, next_call, permit_calls, end_call
local now, caller = read_now(ARGV.now), ARGV.caller
local lease_ends = string.format('%d', now + tonumber(ARGV.lease_ms))
local governor = open_governor(now, lease_ends)
local is_new = redis.call('ZADD', KEYS.callers, lease_ends, caller)
remove_expired_callers(governor)
raise_rate(governor)

for at = FIRST.reports, LAST.reports, 5 do
  local kind, id, account, amount, seen = unpack(ARGV, at, at + 4)
  if kind == 'ask' then
    enqueue(governor, id, account, amount)
  elseif kind == 'took' then
    redis.call('ZREM', KEYS.granted, caller .. '|' .. id)
  else
    end_call(governor, kind, id, account, tonumber(amount), tonumber(seen))
  end
end

local must_ask = governor.requests or governor.tokens or governor.concurrency or governor.rate or
  governor.open_until
lift_limit(governor)
local due = permit_calls(governor)
save_governor(governor)
for position = 1, #KEYS do redis.call('PEXPIRE', KEYS[position], ARGV.keep_ms) end

local reply = {is_new, math.min(due or -1, 1000), open_for(governor),
  governor.failing_account or '', math.max(0, math.ceil((governor.paused_until or 0) - now)),
  must_ask and 1 or 0, governor.failures or 0}
local own = redis.call('ZRANGE', KEYS.granted, '[' .. caller .. '|', '(' .. caller .. '}', 'BYLEX')
for _, field in ipairs(own) do reply[#reply + 1] = string.sub(field, #caller + 2) end
return reply
