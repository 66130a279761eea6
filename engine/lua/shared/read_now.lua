-- Return the time in milliseconds: `given` by a test, or of Redis's clock for ''.
local function read_now(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
