#!lua flags=allow-oom
-- Take the next queued children of a group, to begin them: no other worker gets children of this
-- group for the time of the lease. Called again with the same token, the script goes on from those
-- that have begun. A group whose parent or root has ended is cancelled. The next look at the group
-- is scheduled until it is done. A group that grows by rounds has lease fields of its own: `feeder`
-- on its record is a lease without an end, by which release 0.2.0 leaves it to others.
-- After a lost reply the call is sent again.
-- KEYS: group, parent, root, open_children, children_due
-- ARGV: now?, account_id, member (of the open children), token, lease_ms, most (children),
--       most_running (children of the root), look_ms (until the next look), waiting_look_ms (the
--       same while the group can begin nothing before the end of a wait), are_walked? ('1' for
--       children that end as they begin)
-- Returns {'items', indexes joined by commas} | {'held'} by another worker | {'full'}
--         | {'begun'} without a queued child | {'cancelling'} when those that run are to be
--         cancelled | {'done'} | {'gone'}. 'grows' follows for a group that grows.
-- Uses: read_now, schedule_group, cancel_group, first_queued
local now = read_now(ARGV.now)
local grows = redis.call('HGET', KEYS.group, 'grows')
local lease = grows and 'round_feeder' or 'feeder'
local status, size, queued, running, concurrency, feeder, held_until = unpack(redis.call('HMGET',
  KEYS.group, 'status', 'size', 'queued', 'running', 'concurrency', lease, lease .. '_until'))
local root_status, root_running, has_waited, only_waits = unpack(redis.call('HMGET', KEYS.root,
  'status', 'children_running', 'waited', 'only_waits'))
local function answer(verdict)
  if feeder == ARGV.token then redis.call('HDEL', KEYS.group, lease, lease .. '_until') end
  if verdict == 'done' or verdict == 'gone' then
    redis.call('ZREM', KEYS.open_children, ARGV.member)
  else
    -- The end of the last child of a round wakes the parent, which adds the next one.
    local is_parked = verdict == 'begun' and (has_waited or grows)
      or verdict == 'full' and only_waits
    local pause = is_parked and ARGV.waiting_look_ms or ARGV.look_ms
    schedule_group(ARGV.account_id, ARGV.member, now + tonumber(pause))
  end
  if grows then return {verdict, 'grows'} end
  return {verdict}
end

if not status then return answer('gone') end
local parent_status = redis.call('HGET', KEYS.parent, 'status')
if status == 'open' and (parent_status ~= 'processing' or root_status ~= 'processing') then
  cancel_group()
  status = redis.call('HGET', KEYS.group, 'status')
end
if status ~= 'open' then return answer(status) end
if feeder and feeder ~= ARGV.token and tonumber(held_until) > now then return {'held'} end
if tonumber(queued) == 0 then return answer('begun') end
local room = tonumber(ARGV.most)
if ARGV.are_walked ~= '1' then
  room = math.min(room, tonumber(concurrency) - running,
    tonumber(ARGV.most_running) - (root_running or '0'))
end
if room <= 0 then return answer('full') end

redis.call('HSET', KEYS.group, lease, ARGV.token, lease .. '_until',
  string.format('%d', now + tonumber(ARGV.lease_ms)))
schedule_group(ARGV.account_id, ARGV.member, now + tonumber(ARGV.look_ms))
return {'items', table.concat(first_queued(tonumber(size), room), ',')}
