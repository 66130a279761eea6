-- Update the counters of an account's documents. Bytes are those of the stored fields, so that a
-- removal subtracts the size that it reads.
local function count_documents(keys, bytes, workflows)
  if bytes ~= 0 then redis.call('HINCRBY', keys.stored, 'bytes', bytes) end
  if workflows ~= 0 then redis.call('HINCRBY', keys.stored, 'workflows', workflows) end
end
