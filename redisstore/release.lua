-- ARGV: token. Returns 1, or 0 if the claim is lost.
local h = redis.call('HMGET', KEYS[1], 's', 't')
if h[1] ~= 'h' or h[2] ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
