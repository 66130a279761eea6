#!lua flags=allow-oom
-- Note a look at the counts of a workflow's canaries: when it found that some have ended, and what
-- it removes. The next look is scheduled, unless a run that has ended meanwhile made one due.
-- After a lost reply the call is sent again.
-- KEYS: canary_counts, open_canaries
-- ARGV: slug, look (time that this look had set for the next one), at (its own time), next? (time
--       of the next look; absent: none), ended... (fields to set to the time, once), gone...
--       (fields to remove)
-- Returns the time of the next look, or '' for none
for position = FIRST.gone, LAST.gone do
  redis.call('HDEL', KEYS.canary_counts, ARGV[position])
end
if redis.call('EXISTS', KEYS.canary_counts) == 1 then
  for position = FIRST.ended, LAST.ended do
    redis.call('HSETNX', KEYS.canary_counts, ARGV[position], ARGV.at)
  end
end
local due = redis.call('ZSCORE', KEYS.open_canaries, ARGV.slug)
if due ~= ARGV.look then return due or '' end
if ARGV.next == '' then
  redis.call('ZREM', KEYS.open_canaries, ARGV.slug)
else
  redis.call('ZADD', KEYS.open_canaries, ARGV.next, ARGV.slug)
end
return ARGV.next
