#!lua
-- Give an inbound webhook another token; the former one is unknown at once. Called again, the
-- script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: triggers, audit, hooks
-- ARGV: now?, account_id, id, token (sealed), hook (digest of the token), act*6
-- Returns {'ok', values of the trigger's fields} | {'gone'} without such an inbound webhook
-- Uses: read_now, add_audit, trigger_fields
local now = read_now(ARGV.now)
local id = ARGV.id
local former = redis.call('HGET', KEYS.triggers, id .. '.hook')
if not former then return {'gone'} end
if former ~= ARGV.hook then
  redis.call('HDEL', KEYS.hooks, former)
  redis.call('HSET', KEYS.hooks, ARGV.hook, ARGV.account_id .. '/' .. id)
  redis.call('HSET', KEYS.triggers, id .. '.token', ARGV.token, id .. '.hook', ARGV.hook,
    id .. '.updated', string.format('%d', now))
  add_audit(now)
end
return {'ok', trigger_fields(id)}
