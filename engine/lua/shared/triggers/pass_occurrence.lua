-- Move a schedule on whose next due time has started its run before, as when the clock was set back
-- and the schedule saved then.
local function pass_occurrence()
  local trigger, at, revision, next_at =
    string.match(ARGV.occurrence, '^([^,]+),[^,]+,(%d+),d,(%d*),(%d*),')
  if not trigger then return end
  local saved, due = unpack(redis.call('HMGET', KEYS.triggers, trigger .. '.revision',
    trigger .. '.next'))
  if saved ~= revision or due ~= at then return end
  -- Uses: set_next
  set_next(ARGV.account_id, trigger, next_at)
end
