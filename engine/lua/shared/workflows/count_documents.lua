-- Update the counters of an account's documents, KEYS.documents. Bytes are those of the stored
-- fields, so that a removal subtracts the size that it reads.
local function count_documents(bytes, workflows)
  if bytes ~= 0 then redis.call('HINCRBY', KEYS.documents, 'bytes', bytes) end
  if workflows ~= 0 then redis.call('HINCRBY', KEYS.documents, 'workflows', workflows) end
end
