#!lua flags=allow-oom
-- Schedule the next look at an account by that of its first list, such as a batch, but no earlier
-- than a time.
-- After a lost reply the call is sent again.
-- KEYS: lists (open ones of the account, by the time of their look), accounts_due
-- ARGV: account_id, earliest (milliseconds)
-- Returns the time, or '' without an open list
local first = redis.call('ZRANGE', KEYS.lists, 0, 0, 'WITHSCORES')
if #first == 0 then
  redis.call('ZREM', KEYS.accounts_due, ARGV.account_id)
  return ''
end
local at = string.format('%d', math.max(tonumber(first[2]), tonumber(ARGV.earliest)))
redis.call('ZADD', KEYS.accounts_due, at, ARGV.account_id)
return at
