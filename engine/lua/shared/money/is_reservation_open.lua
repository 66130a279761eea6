-- Return whether nodes can still be charged: those of a child only while its root goes on.
local function is_reservation_open()
  local status = KEYS.root and redis.call('HGET', KEYS.root, 'status')
  return not KEYS.root or status == 'processing' or status == 'cancel_requested'
end
