#!lua flags=allow-oom
-- Remove a dead gateway after its waits were decided, unless its lease was renewed since.
-- KEYS: gateways
-- ARGV: channel (of its notifier), lease (as it was read)
-- Returns 1 when removed, else 0
if redis.call('HGET', KEYS.gateways, ARGV.channel) ~= ARGV.lease then return 0 end
return redis.call('HDEL', KEYS.gateways, ARGV.channel)
