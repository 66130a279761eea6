-- Return the beginning of the next calendar month (UTC) in milliseconds. The calculation follows
-- Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
local function next_month(now)
  local floor = math.floor
  local days = floor(now / 86400000) + 719468
  local era = floor(days / 146097)
  local day = days - era * 146097
  local year = floor((day - floor(day / 1460) + floor(day / 36524) - floor(day / 146096)) / 365)
  day = day - (365 * year + floor(year / 4) - floor(year / 100))
  year = year + era * 400
  local month = floor((5 * day + 2) / 153) + 1 -- counted from March
  if month == 12 then year, month = year + 1, 0 end
  era = floor(year / 400)
  year = year - era * 400
  day = year * 365 + floor(year / 4) - floor(year / 100) + floor((153 * month + 2) / 5)
  return (era * 146097 + day - 719468) * 86400000
end
