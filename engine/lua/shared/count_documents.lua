-- Count what an account's documents take: bytes of the fields as they are stored, so that what goes
-- is known from what is there. Both numbers are at all times those of what is stored.
local function count_documents(keys, bytes, workflows)
  if bytes ~= 0 then redis.call('HINCRBY', keys.stored, 'bytes', bytes) end
  if workflows ~= 0 then redis.call('HINCRBY', keys.stored, 'workflows', workflows) end
end
