-- ARGV: token, lease, note. Returns 1, or 0 if the claim is lost.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local h = redis.call('HMGET', KEYS[1], 's', 't', 'e', 'r')
if h[1] ~= 'h' or h[2] ~= ARGV[1] or tonumber(h[3]) <= now then return 0 end
redis.call('HSET', KEYS[1], 'e', string.format('%.0f', now + ARGV[2]), 'n', ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil((ARGV[2] + h[4]) / 1000))
return 1
