-- Return the time in milliseconds: of Redis's clock, or `given` unless it is '' or 0 (in tests).
local function read_now(given)
  local now = tonumber(given)
  if now and now ~= 0 then return now end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
