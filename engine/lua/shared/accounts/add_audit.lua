-- Add an entry to the audit log, KEYS.audit, with the argument `act`: milliseconds to keep entries,
-- who acts, action, subject, and JSON of before and after. Nobody who acts ('') adds none. `before`
-- and `after` replace those of the argument.
local MOST_AUDITED = 10000
local function add_audit(now, before, after)
  local keep_ms, actor, action, subject, act_before, act_after = unpack(ARGV, FIRST.act, LAST.act)
  if actor == '' then return end
  local oldest = string.format('%d', math.max(0, now - tonumber(keep_ms)))
  redis.call('XADD', KEYS.audit, 'MINID', '=', oldest, '*', 'by', actor, 'action', action,
    'subject', subject, 'before', before or act_before, 'after', after or act_after)
  redis.call('XTRIM', KEYS.audit, 'MAXLEN', '~', MOST_AUDITED)
end
