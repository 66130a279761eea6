-- Workflows that a workflow calls, and those that call it. Fields of the record KEYS.workflow:
-- `calls` has the calls of the live version, `draft_calls` those of the draft, with spaces between.
-- A call is a slug, or slug@version where it takes one version. KEYS.callers has a member
-- '<call>/<slug of the caller>' with score 0 for each call of a living workflow: the callers of a
-- slug are a lexical range.

-- Send a command for each member of a workflow's calls.
local function send_calls(slug, ...)
  for _, calls in ipairs(redis.call('HMGET', KEYS.workflow, 'calls', 'draft_calls')) do
    for call in string.gmatch(calls or '', '%S+') do
      local command = {...}
      command[#command + 1] = call .. '/' .. slug
      redis.call(command[1], KEYS.callers, unpack(command, 2))
    end
  end
end

local function list_calls(slug) send_calls(slug, 'ZADD', 0) end

local function unlist_calls(slug) send_calls(slug, 'ZREM') end

-- Replace the calls in a field of a living workflow.
local function replace_calls(slug, field, calls)
  if (redis.call('HGET', KEYS.workflow, field) or '') == calls then return end
  unlist_calls(slug)
  if calls == '' then
    redis.call('HDEL', KEYS.workflow, field)
  else
    redis.call('HSET', KEYS.workflow, field, calls)
  end
  list_calls(slug)
end
