#!lua flags=allow-oom
-- Delete an alias beside `live` with its history.
-- KEYS: workflow, alias_history, documents
-- ARGV: name
-- Returns 'ok' | 'missing' without such an alias | 'gone' without the workflow
-- Uses: count_documents, aliases, remove_history
local state = redis.call('HGET', KEYS.workflow, 'state')
if not state or state == 'deleted' then return 'gone' end
local aliases = read_aliases()
if not aliases[ARGV.name] then return 'missing' end

aliases[ARGV.name] = nil
write_aliases(aliases)
remove_history(ARGV.name)
return 'ok'
