#!lua flags=allow-oom
-- Raise the schema version of the store. A newer one stays, so that the script may be repeated.
-- After a lost reply the call is sent again.
-- KEYS: installation
-- ARGV: schema (version)
-- Returns the schema version of the store, 0 without an installation
local schema = tonumber(redis.call('HGET', KEYS.installation, 'schema') or '0')
local raised = tonumber(ARGV.schema)
if schema == 0 or schema >= raised then return schema end
redis.call('HSET', KEYS.installation, 'schema', ARGV.schema)
return raised
