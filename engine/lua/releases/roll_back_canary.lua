#!lua flags=allow-oom
-- Take the canary of an alias back: its runs go to the version of the alias again. In the same step
-- the history of the alias, readers of the account's events, and webhooks that ask for it are told.
-- Called again, or for a canary that has ended meanwhile, the script changes nothing.
-- KEYS: workflow, alias_history, documents, canary_counts, changes, deliveries_due,
--       account_deliveries, webhook_deliveries? (none), run_deliveries? (none),
--       deliveries... (for each webhook the key of its delivery and that of its list)
-- ARGV: now?, reference (of the workflow), name (of the alias), canary_id, reason, told (JSON, for
--       readers of the account's events), body (of the deliveries), keep_ms, resend_ms (of
--       list_delivery), format (of deliveries), change, change_ms, most_changes (of add_change),
--       receivers... (for each webhook its owner and its URL)
-- Returns the revision of the aliases, or '' when the alias has no such canary
-- Uses: read_now, count_documents, aliases, alias_history, add_change, list_delivery
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)

local state = redis.call('HGET', KEYS.workflow, 'state')
if not state or state == 'deleted' then return '' end
local aliases = read_aliases()
local alias = aliases[ARGV.name]
if not (alias and alias.canary) or alias.canary.id ~= ARGV.canary_id then return '' end

local current = {version = alias.version, updatedAt = now}
aliases[ARGV.name] = ARGV.name ~= 'live' and current or nil
local _, revision = write_aliases(aliases)
add_history(ARGV.name, now, 'system', ARGV.reason, alias, current)
redis.call('HSET', KEYS.canary_counts, ARGV.canary_id .. ':over', stamp,
  ARGV.canary_id .. ':told', ARGV.told)
add_change(now, ARGV.change)
for position = FIRST.deliveries, LAST.deliveries, 2 do
  local at = FIRST.receivers + position - FIRST.deliveries
  redis.call('HSET', KEYS[position], 'status', 'pending', 'key', ARGV[at], 'url', ARGV[at + 1],
    'event', 'canary.rolled_back', 'body', ARGV.body, 'created', stamp, 'next', stamp,
    'format', ARGV.format)
  list_delivery(KEYS[position], now, ARGV.keep_ms, ARGV.resend_ms, KEYS[position + 1])
end
return revision
