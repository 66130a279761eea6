-- Add the models that children may call to those of their root, `known` joined by commas.
local function add_models(known)
  local models = known
  for model in string.gmatch(ARGV.models, '[^,]+') do
    if not string.find(',' .. models .. ',', ',' .. model .. ',', 1, true) then
      models = (models == '' and '' or models .. ',') .. model
    end
  end
  if models ~= known then redis.call('HSET', KEYS.root, 'models', models) end
end
