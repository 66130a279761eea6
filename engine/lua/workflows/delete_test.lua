#!lua flags=allow-oom
-- Delete a test of a workflow.
-- KEYS: tests, documents
-- ARGV: name
-- Returns 1, or 0 without such a test
-- Uses: count_documents
local bytes = redis.call('HSTRLEN', KEYS.tests, ARGV.name)
if bytes == 0 then return 0 end
redis.call('HDEL', KEYS.tests, ARGV.name, ARGV.name .. '.last')
redis.call('HINCRBY', KEYS.tests, '.revision', 1)
count_documents(-bytes, 0)
return 1
