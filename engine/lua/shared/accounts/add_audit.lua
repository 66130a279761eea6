-- Add an entry to the audit log, with the act that begins at position `first` of ARGV: milliseconds
-- to keep entries, who acts, action, subject, and JSON of before and after. Nobody who acts ('') adds
-- none. `before` and `after` replace those of ARGV.
local MOST_AUDITED = 10000
local function add_audit(keys, now, first, before, after)
  if (ARGV[first + 1] or '') == '' then return end
  local oldest = string.format('%d', math.max(0, now - tonumber(ARGV[first])))
  redis.call('XADD', keys.audit, 'MINID', '=', oldest, '*', 'by', ARGV[first + 1],
    'action', ARGV[first + 2], 'subject', ARGV[first + 3],
    'before', before or ARGV[first + 4], 'after', after or ARGV[first + 5])
  redis.call('XTRIM', keys.audit, 'MAXLEN', '~', MOST_AUDITED)
end
