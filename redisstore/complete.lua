-- ARGV: token, value. Returns 1, or 0 if the claim is lost. The token stays, to know a script that runs again.
local h = redis.call('HMGET', KEYS[1], 's', 't', 'r', 'v')
if h[1] == 'c' and h[2] == ARGV[1] and h[4] == ARGV[2] then return 1 end
if h[1] ~= 'h' or h[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 's', 'c', 'v', ARGV[2])
redis.call('HDEL', KEYS[1], 'n')
redis.call('PEXPIRE', KEYS[1], math.ceil(h[3] / 1000))
return 1
